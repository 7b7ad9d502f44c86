"""One wing for each outside thing: each sees domain and its one library, never another wing."""
