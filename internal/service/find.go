package service

import (
	"context"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/shelf"
)

// usualThreshold is the lowest similarity that counts where nothing is said: Rekognition's default.
const usualThreshold face.Similarity = 80

// mostUsersFound is the most users that a search gives: Rekognition's limit.
const mostUsersFound = 500

func (r Search) threshold() face.Similarity {
	if r.Threshold == nil {
		return usualThreshold
	}
	return *r.Threshold
}

func (r Search) limit(most int) int {
	if r.Max <= 0 {
		return most
	}
	return min(r.Max, most)
}

// hit is an entry of a gallery and how similar it is.
type hit struct {
	id         face.ID
	similarity face.Similarity
}

// nearest finds what in a gallery is similar to a probe, most similar first.
func (s *Service) nearest(
	ctx context.Context, g Searcher, probe []float32, threshold face.Similarity, limit int,
) ([]hit, error) {
	i := s.ports.Model.Cohort.Impostors(probe)
	lists, err := g.Search(ctx, []face.Probe{{
		Vector: probe, MinScore: s.ports.Model.Calibration.Threshold(threshold, i), Limit: limit,
	}})
	if err != nil {
		return nil, err
	}
	var found []hit
	for _, h := range lists[0] {
		if similarity := s.similarity(h.Score, i); similarity >= threshold {
			found = append(found, hit{h.ID, similarity})
		}
	}
	return found, nil
}

// SearchFaces finds the faces of a collection that are similar to another of its faces, which is not among them.
// [NotFound] for the collection, [Invalid] for the face.
func (s *Service) SearchFaces(ctx context.Context, id CollectionID, probe face.ID, r Search) (*FacesFound, error) {
	c, v, err := s.opened(ctx, id)
	if err != nil {
		return nil, err
	}
	defer v.Release()
	vector, err := s.vector(ctx, c, probe)
	if err != nil {
		return nil, err
	}
	limit := r.limit(mostListed)
	hits, err := s.nearest(ctx, v.Faces(), vector, r.threshold(), min(limit+1, mostListed))
	if err != nil {
		return nil, named(err, c)
	}
	hits = slices.DeleteFunc(hits, func(h hit) bool { return h.id == probe })
	out := &FacesFound{Version: c.Version}
	out.Hits, err = s.faceHits(ctx, c, hits[:min(limit, len(hits))])
	return out, err
}

// SearchFacesByImage finds the faces of a collection that are similar to the largest face of a photo. [NotFound];
// [Invalid] if the photo has no face, or none that passes the filter; and the errors of reading the photo.
func (s *Service) SearchFacesByImage(
	ctx context.Context, id CollectionID, image Image, q QualityFilter, r Search,
) (*FacesFound, error) {
	if _, err := s.searchable(ctx, id); err != nil {
		return nil, err
	}
	_, faces, err := s.look(ctx, image, Wanted{Probe: true})
	if err != nil {
		return nil, err
	}
	probe, _ := largest(faces, q)
	if probe == nil {
		return nil, Errorf(Invalid, "There are no faces in the image. Should be at least 1.")
	}
	c, v, err := s.opened(ctx, id) // as it is by now
	if err != nil {
		return nil, err
	}
	defer v.Release()
	hits, err := s.nearest(ctx, v.Faces(), probe.Probe, r.threshold(), r.limit(mostListed))
	if err != nil {
		return nil, named(err, c)
	}
	out := &FacesFound{Probe: probe.Detail, Version: c.Version}
	out.Hits, err = s.faceHits(ctx, c, hits)
	return out, err
}

// largest is the face of a photo to search for: its largest, if that passes the filter. The others say why not.
func largest(faces []PhotoFace, q QualityFilter) (probe *PhotoFace, unused []Unused) {
	if q == "" {
		q = QualityNone // the default of searches
	}
	bar := q.bar()
	for i := range faces {
		reasons := bar.reasons(&faces[i])
		switch {
		case faces[i].Probe == nil && len(reasons) == 0:
			reasons = []Reason{LowFaceQuality}
		case len(reasons) == 0 && probe == nil:
			probe = &faces[i]
			continue
		case len(reasons) == 0:
			reasons = []Reason{NotLargest}
		}
		unused = append(unused, Unused{Detail: faces[i].Detail, Reasons: reasons})
	}
	return probe, unused
}

// SearchUsersByFace finds the users that are similar to an enrolled face. [NotFound] for the collection, [Invalid] for the
// face.
func (s *Service) SearchUsersByFace(
	ctx context.Context, id CollectionID, probe face.ID, r Search,
) (*UsersFound, error) {
	c, v, err := s.opened(ctx, id)
	if err != nil {
		return nil, err
	}
	defer v.Release()
	vector, err := s.vector(ctx, c, probe)
	if err != nil {
		return nil, err
	}
	return s.usersLike(ctx, c, v, vector, r)
}

// SearchUsers finds the users that are similar to another user, who is not among them. [NotFound] for the collection and
// the user. A user without faces is similar to nobody.
func (s *Service) SearchUsers(ctx context.Context, id CollectionID, user UserID, r Search) (*UsersFound, error) {
	c, v, err := s.opened(ctx, id)
	if err != nil {
		return nil, err
	}
	defer v.Release()
	if err = s.checkUser(ctx, c, user); err != nil {
		return nil, err
	}
	vectors, err := s.ports.Store.VectorsOf(ctx, c.Serial, user)
	if err != nil || len(vectors) == 0 {
		return &UsersFound{Version: c.Version}, named(err, c)
	}
	sum := []float32(nil)
	for _, one := range vectors {
		sum = face.Plus(sum, one.Values)
	}
	if _, err = face.Normalize(sum); err != nil {
		return &UsersFound{Version: c.Version}, nil // faces that have nothing in common are like nobody
	}
	out, err := s.usersLike(ctx, c, v, sum, Search{Max: r.limit(mostUsersFound) + 1, Threshold: r.Threshold})
	if err != nil {
		return nil, err
	}
	out.Hits = slices.DeleteFunc(out.Hits, func(h UserHit) bool { return h.User.ID == user })
	out.Hits = out.Hits[:min(len(out.Hits), r.limit(mostUsersFound))]
	return out, nil
}

// SearchUsersByImage finds the users that are similar to the largest face of a photo. A photo without a usable face finds
// nobody. [NotFound] and the errors of reading the photo.
func (s *Service) SearchUsersByImage(
	ctx context.Context, id CollectionID, image Image, q QualityFilter, r Search,
) (*UsersFound, error) {
	if _, err := s.searchable(ctx, id); err != nil {
		return nil, err
	}
	_, faces, err := s.look(ctx, image, Wanted{Probe: true})
	if err != nil {
		return nil, err
	}
	c, v, err := s.opened(ctx, id) // as it is by now
	if err != nil {
		return nil, err
	}
	defer v.Release()
	probe, unused := largest(faces, q)
	if probe == nil {
		return &UsersFound{Unused: unused, Version: c.Version}, nil
	}
	out, err := s.usersLike(ctx, c, v, probe.Probe, r)
	if err != nil {
		return nil, err
	}
	out.Probe, out.Unused = &probe.Detail, unused
	return out, nil
}

// opened is a collection that can be searched, with a view of its faces in memory, to be released.
func (s *Service) opened(ctx context.Context, id CollectionID) (*Collection, *shelf.View, error) {
	c, err := s.searchable(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.acquire(ctx, c)
	return c, v, err
}

// vector is the embedding of an enrolled face.
func (s *Service) vector(ctx context.Context, c *Collection, id face.ID) ([]float32, error) {
	vectors, err := s.ports.Store.Vectors(ctx, c.Serial, []face.ID{id})
	if err != nil {
		return nil, named(err, c)
	}
	if len(vectors) == 0 {
		return nil, Errorf(Invalid, "faceId was not found in the collection.")
	}
	return vectors[0].Values, nil
}

// named tells of a collection that went away by its name.
func named(err error, c *Collection) error {
	if KindOf(err) == NotFound {
		return errNoCollection(c.ID)
	}
	return err
}

func (s *Service) usersLike(
	ctx context.Context, c *Collection, v *shelf.View, probe []float32, r Search,
) (*UsersFound, error) {
	hits, err := s.nearest(ctx, v.Users(), probe, r.threshold(), r.limit(mostUsersFound+1))
	if err != nil {
		return nil, named(err, c)
	}
	out := &UsersFound{Version: c.Version}
	for _, h := range hits {
		user := User{ID: UserID(v.Person(h.id)), Status: UserActive}
		out.Hits = append(out.Hits, UserHit{User: user, Similarity: h.similarity})
	}
	return out, nil
}

// faceHits looks up what is known of the faces that were found. Those that have just been deleted are left out.
func (s *Service) faceHits(ctx context.Context, c *Collection, hits []hit) ([]FaceHit, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]face.ID, len(hits))
	for i, h := range hits {
		ids[i] = h.id
	}
	known, err := s.facesByID(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	var list []FaceHit
	for _, h := range hits {
		if f, ok := known[h.id]; ok {
			list = append(list, FaceHit{Face: f, Similarity: h.similarity})
		}
	}
	return list, nil
}

// facesByID looks up faces; those that are not there are left out.
func (s *Service) facesByID(ctx context.Context, c *Collection, ids []face.ID) (map[face.ID]Face, error) {
	known := make(map[face.ID]Face, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), mostListed)
		list, err := s.ports.Store.Faces(ctx, c.Serial, FaceQuery{IDs: ids[:n], Limit: n})
		if err != nil {
			return nil, named(err, c)
		}
		for _, f := range list {
			known[f.ID] = f
		}
		ids = ids[n:]
	}
	return known, nil
}
