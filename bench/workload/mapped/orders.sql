SELECT UUID(orders, s.id) AS id, s.id::bigint AS legacy_id, UUID(patients, s.patient_id) AS patient_id, UUID(doctors, s.doctor_id) AS doctor_id,
  UUID(offices, s.office_id) AS office_id, UUID(users, s.created_by_id) AS created_by,
  (CASE s.state WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'approved' WHEN 3 THEN 'in_production' WHEN 4 THEN 'shipped'
   WHEN 5 THEN 'delivered' WHEN 6 THEN 'cancelled' END)::ENUM(order_status) AS status,
  s.number::text AS order_no, s.total, s.tax::numeric(6,4) AS tax_rate, s.items, s.memo, s.due AS due_on, s.shipped AS shipped_at,
  s.created AS created_at, s.modified AS updated_at
FROM public.care_order AS s
