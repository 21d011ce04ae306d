package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// querier is a transaction, or statements prepared in one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// row is one row of an answer.
type row interface{ Scan(to ...any) error }

// collect reads all rows of an answer; the list is never nil.
func collect[T any](
	ctx context.Context, q querier, scan func(row, *T) error, query string, args ...any,
) ([]T, error) {
	list := []T{}
	err := each(ctx, q, func(r row) error {
		var v T
		err := scan(r, &v)
		list = append(list, v)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each calls do for one row of an answer after another.
func each(ctx context.Context, q querier, do func(row) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// preparing runs one statement again and again, which is parsed again only when its text has changed.
type preparing struct {
	tx   *sql.Tx
	text string
	stmt *sql.Stmt
}

// QueryContext runs a query. The rows must be closed before the next one.
func (p *preparing) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if p.text != query {
		p.close()
		stmt, err := p.tx.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		p.text, p.stmt = query, stmt
	}
	return p.stmt.QueryContext(ctx, args...)
}

// close lets go of the statement; what it says is of no use: the transaction ends it as well.
func (p *preparing) close() {
	if p.stmt != nil {
		_ = p.stmt.Close()
	}
	p.text, p.stmt = "", nil
}
