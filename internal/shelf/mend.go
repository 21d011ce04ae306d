package shelf

import (
	"context"
	"errors"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// mendBatch is how many codes are written in one transaction: half a megabyte.
const mendBatch = 1000

// MendCodes writes the codes of faces that had none, or a damaged one, when they came into memory. Until then each load reads these
// faces' collections whole.
func (s *Shelf) MendCodes(ctx context.Context) error {
	for serial, uncoded := range s.takeUncoded() {
		if err := s.mendCodes(ctx, serial, uncoded); err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	return nil
}

// takeUncoded gives the faces that need codes, by collection, once.
func (s *Shelf) takeUncoded() map[int64][]face.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[int64][]face.ID{}
	for serial, a := range s.albums {
		if len(a.uncoded) > 0 {
			all[serial], a.uncoded = a.uncoded, nil
		}
	}
	return all
}

func (s *Shelf) mendCodes(ctx context.Context, serial int64, uncoded []face.ID) error {
	for ids := range slices.Chunk(uncoded, mendBatch) {
		vectors, err := s.config.Feed.Vectors(ctx, serial, ids)
		if err != nil {
			return err
		}
		codes := make([]Code, len(vectors))
		for i, v := range vectors {
			codes[i] = Code{ID: v.ID, Data: s.config.Code(v.ID, v.Values)}
		}
		if err := s.config.Feed.SetCodes(ctx, serial, codes); err != nil {
			return err
		}
	}
	return nil
}
