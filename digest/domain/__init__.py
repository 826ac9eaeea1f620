"""Pure rules: values, states with their allowed transitions, functions of `now`."""
