"""What the page shows to everybody: its documents, feeds and sitemap."""
