"""What a play shows: figures, charts, the report, the terminal."""
