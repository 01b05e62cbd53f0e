"""`ftaug search`: propose values of search spaces, train them as the runs of a study, and confirm the best."""
