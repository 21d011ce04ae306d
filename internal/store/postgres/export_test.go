package postgres

// MaxConns is how many connections are open at most.
func (db *DB) MaxConns() int { return int(db.pool.Config().MaxConns) }
