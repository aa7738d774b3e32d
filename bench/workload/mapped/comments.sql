SELECT UUID(comments, s.id) AS id, s.id::bigint AS legacy_id, UUID(orders, s.order_id) AS order_id, UUID(comments, parent.id) AS parent_id,
  UUID(users, s.author_id) AS author_id, s.body, s.is_deleted, s.created AS created_at
FROM public.care_comment AS s
LEFT JOIN public.care_comment AS parent ON parent.id = s.parent_id
