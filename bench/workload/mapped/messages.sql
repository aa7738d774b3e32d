SELECT UUID(messages, s.id) AS id, s.id AS legacy_id, UUID(users, s.sender_id) AS sender_id, UUID(users, s.recipient_id) AS recipient_id,
  UUID(orders, s.order_id) AS order_id, s.body, s.payload, s.created AS sent_at
FROM public.inbox_message AS s
