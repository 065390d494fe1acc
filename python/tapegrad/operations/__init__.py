"""Operations of the user's own: functions that are called as they are, with their own rules."""
