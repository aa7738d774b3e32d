SELECT UUID(patients, s.id) AS id, s.id::bigint AS legacy_id, UUID(doctors, s.doctor_id) AS doctor_id, UUID(users, s.user_id) AS user_id,
  UUID(offices, s.office_id) AS office_id, s.first_name::text AS first_name, s.last_name::text AS last_name, s.dob::date AS birth_date,
  (CASE s.sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE 'unknown' END)::ENUM(sex) AS sex,
  s.email::text AS email, s.phone::text AS phone, s.notes, s.meta, s.balance, s.created AS created_at, s.modified AS updated_at
FROM public.care_patient AS s
