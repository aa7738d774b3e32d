SELECT UUID(users, s.id) AS id, s.id::bigint AS legacy_id, s.password::text AS password_hash, s.last_login AS last_login_at, s.is_superuser,
  s.username::text AS username, s.first_name::text AS first_name, s.last_name::text AS last_name, s.email::text AS email, s.is_staff, s.is_active,
  s.date_joined AS joined_at
FROM public.accounts_user AS s
