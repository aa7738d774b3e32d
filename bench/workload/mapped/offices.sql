SELECT UUID(offices, s.id) AS id, s.id::bigint AS legacy_id, s.name::text AS name, s.code::text AS code, s.address, s.timezone::text AS tz,
  s.is_active, s.created AS created_at, s.modified AS updated_at
FROM public.core_office AS s
