"""How it is shown and asked: figures, widgets, checks and the scoreboard."""
