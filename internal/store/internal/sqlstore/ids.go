package sqlstore

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
)

// batchIDs is how many ids a statement names. SQLite looks each placeholder up among those before it, so that the time to
// parse a statement grows with the square of their number; PostgreSQL would take 65,535.
const batchIDs = 500

// placeholders is "$from,$from+1,..." for n values.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// tuples is "($1,$2),($3,$4)..." for rows of so many columns.
func tuples(rows, columns int) string {
	list := make([]string, rows)
	for i := range list {
		list[i] = "(" + placeholders(1+i*columns, columns) + ")"
	}
	return strings.Join(list, ",")
}

// with appends ids to the arguments of a statement.
func with(args []any, ids []face.ID) []any {
	args = slices.Clip(args)
	for _, id := range ids {
		args = append(args, uuid(id))
	}
	return args
}

// sorted is the ids in their order, each once.
func sorted(ids []face.ID) []face.ID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

func compareIDs(a, b face.ID) int { return bytes.Compare(a[:], b[:]) }
