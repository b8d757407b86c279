"""Methods and streams in, recorded trials, statistics and a leaderboard out."""
