"""Cut a picture into tiles, run them in threads, and put the results together again."""
