"""Files at addresses such as https://host/train.tar, copied to a local cache."""
