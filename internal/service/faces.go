package service

import (
	"context"
	"crypto/sha256"

	"github.com/spotter-video/spotter/internal/face"
)

// IndexFaces enrols the faces of a photo: those that pass the filter, the largest first. [NotFound], [Invalid],
// [QuotaExceeded] and the errors of reading the photo.
func (s *Service) IndexFaces(ctx context.Context, r IndexRequest) (*Indexed, error) {
	c, err := s.searchable(ctx, r.Collection)
	if err != nil {
		return nil, err
	}
	content, found, err := s.look(ctx, r.Image, Wanted{Attributes: r.Attributes, Template: true})
	if err != nil {
		return nil, err
	}
	out := &Indexed{Version: c.Version}
	chosen, unused := choose(found, r.Quality, r.MaxFaces)
	out.Unindexed = unused
	if len(chosen) == 0 {
		return out, nil
	}
	faces, err := s.enrol(ctx, c, sha256.Sum256(content), r.ExternalID, chosen)
	if err != nil {
		return nil, err
	}
	for i, f := range chosen {
		out.Faces = append(out.Faces, IndexedFace{Face: faces[i].Face, Detail: f.Detail})
	}
	return out, nil
}

// choose sorts the faces of a photo, largest first, into those to enrol and the others.
func choose(found []PhotoFace, q QualityFilter, most int) (chosen []PhotoFace, unused []Unused) {
	bar := q.bar()
	for i := range found {
		f := &found[i]
		reasons := bar.reasons(f)
		if f.Template == nil && len(reasons) == 0 {
			reasons = []Reason{LowFaceQuality} // nothing can be told of it, whatever the filter
		}
		if len(reasons) == 0 && most > 0 && len(chosen) == most {
			reasons = []Reason{ExceedsMaxFaces}
		}
		if len(reasons) > 0 {
			unused = append(unused, Unused{Detail: f.Detail, Reasons: reasons})
			continue
		}
		chosen = append(chosen, *f)
	}
	return chosen, unused
}

// enrol stores faces of a photo.
func (s *Service) enrol(
	ctx context.Context, c *Collection, photo [sha256.Size]byte, name string, chosen []PhotoFace,
) ([]NewFace, error) {
	before, err := s.idsOfBefore(ctx, c, photo, name, chosen)
	if err != nil {
		return nil, err
	}
	faces := make([]NewFace, len(chosen))
	for i, f := range chosen {
		id := faceID(c, before, photo, name, f.Box)
		faces[i] = NewFace{Vector: f.Template, Code: s.ports.Code(id, f.Template), Face: Face{
			Version:  c.Version,
			Enrolled: face.Enrolled{ID: id, ImageID: ImageID(photo), ExternalID: name, Detection: f.Detection},
		}}
	}
	added, err := s.ports.Store.AddFaces(ctx, c.Serial, faces, s.settings.FacesPerCollection)
	if KindOf(err) == QuotaExceeded {
		return nil, Errorf(QuotaExceeded, "A collection has at most %d faces", s.settings.FacesPerCollection)
	}
	if err != nil || len(added) == 0 {
		return faces, named(err, c)
	}
	s.ports.Events.FacesEnrolled(ctx, c.ID, added)
	return faces, nil
}

// Faces lists enrolled faces by their id. [NotFound], [BadPage].
func (s *Service) Faces(ctx context.Context, r FaceList) (*Faces, error) {
	c, err := s.Collection(ctx, r.Collection)
	if err != nil {
		return nil, err
	}
	if r.User != "" {
		if err = s.checkUser(ctx, c, r.User); err != nil {
			return nil, err
		}
	}
	listing := "faces\x00" + string(r.Collection) + "\x00" + string(r.User)
	position, err := s.pages.position(listing, r.Page.Token, len(face.ID{}))
	if err != nil {
		return nil, err
	}
	size := r.Page.size(usuallyListed, mostListed)
	q := FaceQuery{User: r.User, IDs: r.IDs, Limit: size + 1}
	if position != nil {
		after := face.ID(position)
		q.After = &after
	}
	list, err := s.ports.Store.Faces(ctx, c.Serial, q)
	if err != nil {
		return nil, err
	}
	out := &Faces{Faces: list, Version: c.Version}
	if len(list) > size {
		out.Faces = list[:size]
		out.Next, err = s.pages.token(listing, list[size-1].ID[:])
	}
	return out, err
}

// DeleteFaces deletes faces that are nobody's. Ids that are not there are no error. [NotFound].
func (s *Service) DeleteFaces(ctx context.Context, id CollectionID, ids []face.ID) (*DeletedFaces, error) {
	c, err := s.searchable(ctx, id)
	if err != nil {
		return nil, err
	}
	deleted, associated, err := s.ports.Store.DeleteFaces(ctx, c.Serial, ids, s.ports.Now())
	if err != nil {
		return nil, named(err, c)
	}
	if len(deleted) > 0 {
		s.ports.Events.FacesDeleted(ctx, id, deleted)
	}
	return deletedFaces(ids, deleted, associated), nil
}

// deletedFaces says of each id that was asked for, once, what became of it.
func deletedFaces(ids, deleted []face.ID, associated map[face.ID]UserID) *DeletedFaces {
	gone := map[face.ID]bool{}
	for _, id := range deleted {
		gone[id] = true
	}
	out, told := &DeletedFaces{}, map[face.ID]bool{}
	for _, id := range ids {
		user, kept := associated[id]
		switch {
		case told[id]:
		case gone[id]:
			out.Deleted = append(out.Deleted, id)
		case kept:
			out.Associated = append(out.Associated, AssociatedFace{ID: id, User: user})
		default:
			out.Unknown = append(out.Unknown, id)
		}
		told[id] = true
	}
	return out
}
