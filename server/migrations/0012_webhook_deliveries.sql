-- The deliveries of one webhook: to be shown by the newest, and found when it is deleted.

create index webhook_deliveries_webhook on registry.webhook_deliveries (webhook_key, delivery_key desc);
