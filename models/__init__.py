"""Models of markets and of trading in them. They see the domain and nothing else of ours."""
