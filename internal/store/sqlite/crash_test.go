package sqlite_test

func crashing() bool { return false }
func crash()         {}
