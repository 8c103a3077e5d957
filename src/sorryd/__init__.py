"""sorryd: a reverse proxy that plans, keeps and ends maintenance on its own."""
