package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// usualAssociation is how similar a face must be to a user's others where nothing is said: Rekognition's default.
const usualAssociation face.Similarity = 75

// mostUsersListed is the most users of a page: Rekognition's limit.
const mostUsersListed = 500

// CreateUser makes a user without faces. [NotFound], [Conflict], [QuotaExceeded], [TokenReused].
func (s *Service) CreateUser(ctx context.Context, id CollectionID, user UserID, token string) error {
	_, err := s.once(ctx, "create-user", id, token, userForm(user), func(c *Collection, t *RequestToken) error {
		err := s.ports.Store.CreateUser(ctx, c.Serial, user, s.settings.UsersPerCollection, t)
		switch KindOf(err) {
		case Conflict:
			return Errorf(Conflict, "The user id: %s already exists.", user)
		case QuotaExceeded:
			return Errorf(QuotaExceeded, "A collection has at most %d users", s.settings.UsersPerCollection)
		default:
			return named(err, c)
		}
	})
	return err
}

// DeleteUser deletes a user; the faces stay and are nobody's. [NotFound], [TokenReused].
func (s *Service) DeleteUser(ctx context.Context, id CollectionID, user UserID, token string) error {
	_, err := s.once(ctx, "delete-user", id, token, userForm(user), func(c *Collection, t *RequestToken) error {
		return noUser(s.ports.Store.DeleteUser(ctx, c.Serial, user, t), user)
	})
	return err
}

// Users lists users by their creation. [NotFound], [BadPage].
func (s *Service) Users(ctx context.Context, id CollectionID, page PageRequest) ([]User, string, error) {
	c, err := s.Collection(ctx, id)
	if err != nil {
		return nil, "", err
	}
	listing := fmt.Sprintf("users of %d", c.Serial)
	after, err := s.pages.serial(listing, page.Token)
	if err != nil {
		return nil, "", err
	}
	size := page.size(mostUsersListed, mostUsersListed)
	list, err := s.ports.Store.Users(ctx, c.Serial, after, size+1)
	if err != nil || len(list) <= size {
		return list, "", named(err, c)
	}
	next, err := s.pages.serialToken(listing, list[size-1].Serial)
	return list[:size], next, err
}

// AssociateFaces makes faces a user's, those that are similar enough to the user's others. Faces that are the user's
// already are passed over. [NotFound], [QuotaExceeded], [TokenReused].
//
// A user who has no faces yet is founded by the first face of the request; the others must be similar to that one.
func (s *Service) AssociateFaces(ctx context.Context, r AssociateRequest) (*Associated, error) {
	return s.associated(ctx, "associate-faces", r, func(c *Collection, u *User, t *RequestToken, out *Associated) error {
		mine, err := s.ports.Store.VectorsOf(ctx, c.Serial, u.ID)
		if err != nil {
			return named(err, c)
		}
		if err = s.acceptable(ctx, c, r, mine, out); err != nil {
			return err
		}
		if out.Status = UserActive; len(mine)+len(out.Done) == 0 {
			out.Status = UserCreated
		}
		if err = t.answer(out); err != nil {
			return err
		}
		err = s.ports.Store.Associate(ctx, c.Serial, u, out.Done, s.settings.FacesPerUser, t)
		if KindOf(err) == QuotaExceeded {
			return Errorf(QuotaExceeded, "A user has at most %d faces", s.settings.FacesPerUser)
		}
		return noUser(err, u.ID)
	})
}

// acceptable sorts the faces that are to be associated, in out, into those that can be and the others.
func (s *Service) acceptable(
	ctx context.Context, c *Collection, r AssociateRequest, mine []Vector, out *Associated,
) error {
	ids := unique(r.IDs)
	vectors, err := s.ports.Store.Vectors(ctx, c.Serial, ids)
	if err != nil {
		return named(err, c)
	}
	known := map[face.ID]Vector{}
	for _, v := range vectors {
		known[v.ID] = v
	}
	var sum []float32
	for _, v := range mine {
		sum = face.Plus(sum, v.Values)
	}
	for _, id := range ids {
		v, found := known[id]
		switch similarity := s.likeness(sum, v.Values); {
		case !found:
			out.Failed = append(out.Failed, NotAssociated{ID: id, Reason: UnknownFace})
		case v.User == r.User:
		case v.User != "":
			out.Failed = append(out.Failed, NotAssociated{ID: id, Reason: OtherUser, User: v.User})
		case similarity < r.threshold():
			out.Failed = append(out.Failed, NotAssociated{ID: id, Reason: LowSimilarity, Similarity: similarity})
		default:
			out.Done = append(out.Done, id)
			if len(mine) == 0 && len(out.Done) == 1 {
				sum = face.Plus(nil, v.Values)
			}
		}
	}
	return nil
}

func (r AssociateRequest) threshold() face.Similarity {
	if r.Threshold == nil {
		return usualAssociation
	}
	return *r.Threshold
}

// likeness is how similar a face is to several together, whose sum is given; to none it is as similar as can be.
func (s *Service) likeness(sum, vector []float32) face.Similarity {
	if vector == nil {
		return 0
	}
	if sum == nil {
		return 100
	}
	direction := slices.Clone(sum)
	if _, err := face.Normalize(direction); err != nil {
		return 0
	}
	return s.similarity(face.Score(face.Dot(vector, direction)), s.ports.Model.Cohort.Impostors(vector))
}

// DisassociateFaces ends that faces are a user's. Faces that are nobody's are passed over. [NotFound], [TokenReused].
func (s *Service) DisassociateFaces(ctx context.Context, r AssociateRequest) (*Associated, error) {
	return s.associated(ctx, "disassociate-faces", r, func(c *Collection, u *User, t *RequestToken, out *Associated) error {
		mine, err := s.ports.Store.Faces(ctx, c.Serial, FaceQuery{User: u.ID, Limit: mostListed})
		if err != nil {
			return named(err, c)
		}
		if err := s.removable(ctx, c, r, out); err != nil {
			return err
		}
		if out.Status = UserActive; len(out.Done) == len(mine) {
			out.Status = UserCreated
		}
		if err := t.answer(out); err != nil {
			return err
		}
		return noUser(s.ports.Store.Disassociate(ctx, c.Serial, u, out.Done, t), u.ID)
	})
}

// removable sorts faces, in out, into those that are the user's and the others.
func (s *Service) removable(ctx context.Context, c *Collection, r AssociateRequest, out *Associated) error {
	ids := unique(r.IDs)
	known, err := s.facesByID(ctx, c, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		switch f, found := known[id]; {
		case !found:
			out.Failed = append(out.Failed, NotAssociated{ID: id, Reason: UnknownFace})
		case f.User == r.User:
			out.Done = append(out.Done, id)
		case f.User != "":
			out.Failed = append(out.Failed, NotAssociated{ID: id, Reason: OtherUser, User: f.User})
		}
	}
	return nil
}

// checkUser is NotFound if there is no such user.
func (s *Service) checkUser(ctx context.Context, c *Collection, user UserID) error {
	_, err := s.ports.Store.User(ctx, c.Serial, user)
	return noUser(err, user)
}

func noUser(err error, user UserID) error {
	if KindOf(err) == NotFound {
		return Errorf(NotFound, "The user id: %s does not exist", user)
	}
	return err
}

// mostDecisions is how often a change of a user's faces is decided anew because the user or the faces were changed meanwhile:
// each time somebody else has got on.
const mostDecisions = 100

// associated runs a change of a user's faces once for each token. What it decides by is read after the user; the store
// refuses what was decided by faces or a user that have changed since, and then it is decided again.
func (s *Service) associated(
	ctx context.Context, operation string, r AssociateRequest,
	change func(*Collection, *User, *RequestToken, *Associated) error,
) (*Associated, error) {
	out := &Associated{}
	earlier, err := s.once(ctx, operation, r.Collection, r.Token, r.form(), func(c *Collection, t *RequestToken) error {
		for range mostDecisions {
			u, err := s.ports.Store.User(ctx, c.Serial, r.User)
			if err != nil {
				return noUser(err, r.User)
			}
			*out = Associated{}
			if err = change(c, u, t, out); KindOf(err) != Conflict {
				return err
			}
		}
		return Errorf(Conflict, "The faces of user %s were changed at the same time; try again", r.User)
	})
	if err != nil {
		return nil, err
	}
	if earlier == nil {
		return out, nil
	}
	var again Associated
	if err := json.Unmarshal(earlier, &again); err != nil {
		return nil, fmt.Errorf("answer kept for request token: %w", err)
	}
	return &again, nil
}

func unique(ids []face.ID) []face.ID {
	seen := make(map[face.ID]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id face.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}
