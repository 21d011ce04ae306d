package batch

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/fault"
)

// Member is a photo for a collection.
type Member struct {
	Path       string
	ExternalID string // as [Search] writes it
	User       string // of whom the photo is, as the id of a user
}

// Members lists the photos of a folder of people, as [Search] finds them, or those that a CSV file lists. The file has a line of heads, and the columns
// photo (a path, from the file's folder) and person; and, where the ids are not to be made of both, external_image_id. note is told of what is passed over.
func Members(from string, note func(path, reason string, refused bool)) ([]Member, error) {
	if strings.EqualFold(filepath.Ext(from), ".csv") {
		list, err := membersOf(from)
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("%s: %w", from, fault.Plain(err))}
		}
		return list, nil
	}
	photos, err := listPeople(from, note)
	if err != nil {
		return nil, err
	}
	list := make([]Member, len(photos))
	for i, p := range photos {
		list[i] = Member{Path: p.Path, ExternalID: p.ExternalID, User: awsapi.ExternalImageID(p.Person, "")}
	}
	return list, nil
}

func membersOf(path string) (_ []Member, err error) {
	f, err := os.Open(path) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows := csv.NewReader(f)
	heads, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	heads[0] = strings.TrimPrefix(heads[0], "\ufeff") // as spreadsheets write it
	photo, person, id := slices.Index(heads, "photo"), slices.Index(heads, "person"), slices.Index(heads, "external_image_id")
	if photo < 0 || person < 0 {
		return nil, fmt.Errorf("its first line is %q; it must name the columns photo and person", strings.Join(heads, ","))
	}
	var list []Member
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		if row[photo] == "" || row[person] == "" {
			return nil, fmt.Errorf("line %d names no photo or no person", line)
		}
		m := Member{Path: row[photo], User: awsapi.ExternalImageID(row[person], "")}
		if !filepath.IsAbs(m.Path) {
			m.Path = filepath.Join(filepath.Dir(path), m.Path)
		}
		m.ExternalID = awsapi.ExternalImageID(row[person], stem(m.Path))
		if id >= 0 && row[id] != "" {
			m.ExternalID = row[id]
		}
		list = append(list, m)
	}
}
