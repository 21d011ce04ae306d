package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// longestLine is more than any entry has: 4,096 faces are deleted by one request at most, each id of 36 characters.
const longestLine = 4 << 20

// Read gives the entries of a log, one after another; an error of each ends it. Lines that are no entries, as a crash or a full disk may
// leave one, are counted and left out.
func Read(from io.Reader, each func(Entry) error) (damaged int, err error) {
	r := bufio.NewReader(from)
	for {
		line, long, end := readLine(r)
		if line = bytes.TrimSpace(line); len(line) > 0 || long {
			var e Entry
			if long || json.Unmarshal(line, &e) != nil || e.Operation == "" {
				damaged++
			} else if err = each(e); err != nil {
				return damaged, err
			}
		}
		if errors.Is(end, io.EOF) {
			return damaged, nil
		}
		if end != nil {
			return damaged, fmt.Errorf("read the audit log: %w", end)
		}
	}
}

// readLine reads a line to its end; of one that is too long nothing is kept.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > longestLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}
