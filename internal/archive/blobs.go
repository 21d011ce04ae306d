package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// What is read before a function is called for it, and the file let go of.
const (
	pageRows  = 512     // rows at most
	pageBytes = 4 << 20 // bytes, from which on no further row is read
)

// blobs are rows of a number and two pieces of bytes, all of which lie one after another in data.
type blobs struct {
	numbers []int64
	ends    [][2]int
	data    []byte
}

// eachBlob reads blobs after a number, and calls each for them, until there are none; what says what they are. An error of each is
// returned as it is.
func eachBlob(what string, read func(b *blobs, after int64) error, each func(n int64, data, more []byte) error) error {
	var b blobs
	for after := int64(-1); ; {
		if err := read(&b, after); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
		if len(b.numbers) == 0 {
			return nil
		}
		start := 0
		for i, n := range b.numbers {
			middle, end := b.ends[i][0], b.ends[i][1]
			if err := each(n, b.data[start:middle:middle], b.data[middle:end:end]); err != nil {
				return err
			}
			start, after = end, n
		}
	}
}

// read replaces the blobs by the first ones that a query gives.
func (b *blobs) read(ctx context.Context, db *sql.DB, query string, args ...any) (err error) {
	b.numbers, b.ends, b.data = b.numbers[:0], b.ends[:0], b.data[:0]
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for len(b.data) < pageBytes && rows.Next() {
		var n int64
		var data, more sql.RawBytes
		if err := rows.Scan(&n, &data, &more); err != nil {
			return err
		}
		b.data = append(b.data, data...)
		middle := len(b.data)
		b.data = append(b.data, more...)
		b.numbers, b.ends = append(b.numbers, n), append(b.ends, [2]int{middle, len(b.data)})
	}
	return rows.Err()
}
