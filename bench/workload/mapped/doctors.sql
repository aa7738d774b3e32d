SELECT UUID(doctors, s.id) AS id, s.id::bigint AS legacy_id, UUID(users, s.user_id) AS user_id, UUID(offices, s.office_id) AS office_id,
  s.license::text AS license_no, s.npi::bigint AS npi, s.specialties, s.created AS created_at, s.modified AS updated_at
FROM public.care_doctor AS s
