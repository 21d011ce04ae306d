package service

import (
	"context"
	"maps"
)

// CreateCollection makes an empty collection for the model in use. [Exists], [QuotaExceeded].
func (s *Service) CreateCollection(ctx context.Context, id CollectionID, tags map[string]string) (*Collection, error) {
	if len(tags) > s.settings.TagsPerCollection {
		return nil, s.tooManyTags()
	}
	c := &Collection{
		ID: id, Model: s.ports.Model.ID, Version: s.ports.Model.Version, Created: s.ports.Now(), Tags: maps.Clone(tags),
	}
	if err := s.ports.Store.CreateCollection(ctx, c); err != nil {
		if KindOf(err) == Exists {
			return nil, Errorf(Exists, "The collection id: %s already exists.", id)
		}
		return nil, err
	}
	return c, nil
}

// Collection describes a collection, without its tags. [NotFound].
func (s *Service) Collection(ctx context.Context, id CollectionID) (*Collection, error) {
	c, err := s.ports.Store.Collection(ctx, id)
	if KindOf(err) == NotFound {
		return nil, errNoCollection(id)
	}
	return c, err
}

func errNoCollection(id CollectionID) error {
	return Errorf(NotFound, "The collection id: %s does not exist", id)
}

// searchable is a collection of the model in use.
func (s *Service) searchable(ctx context.Context, id CollectionID) (*Collection, error) {
	c, err := s.Collection(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Model != s.ports.Model.ID {
		return nil, Errorf(Invalid, "The collection %s holds faces of the model %s, and this server runs %s: "+
			"index its photos again into a new collection", id, c.Model, s.ports.Model.ID)
	}
	return c, nil
}

// mostListed is the most entries of a page of collections, faces and matches: Rekognition's limit.
const mostListed = 4096

// usuallyListed is how many collections or faces a page has where nothing is said; AWS does not document its own.
const usuallyListed = 1000

// Collections lists collections by their creation, and gives the token of the next page, if there is one.
func (s *Service) Collections(ctx context.Context, page PageRequest) ([]Collection, string, error) {
	const listing = "collections"
	after, err := s.pages.serial(listing, page.Token)
	if err != nil {
		return nil, "", err
	}
	size := page.size(usuallyListed, mostListed)
	list, err := s.ports.Store.Collections(ctx, after, size+1)
	if err != nil || len(list) <= size {
		return list, "", err
	}
	next, err := s.pages.serialToken(listing, list[size-1].Serial)
	return list[:size], next, err
}

// DeleteCollection deletes a collection with its faces and users. Jobs that search it fail. [NotFound].
func (s *Service) DeleteCollection(ctx context.Context, id CollectionID) error {
	c, err := s.Collection(ctx, id)
	if err != nil {
		return err
	}
	if err := s.ports.Store.DeleteCollection(ctx, id); err != nil {
		if KindOf(err) == NotFound {
			return errNoCollection(id)
		}
		return err
	}
	s.shelf.Drop(int64(c.Serial))
	return nil
}

// Tags of a collection. [NotFound].
func (s *Service) Tags(ctx context.Context, id CollectionID) (map[string]string, error) {
	tags, err := s.ports.Store.Tags(ctx, id)
	if KindOf(err) == NotFound {
		return nil, errNoCollection(id)
	}
	return tags, err
}

// Tag adds and overwrites tags. [NotFound], [QuotaExceeded].
func (s *Service) Tag(ctx context.Context, id CollectionID, tags map[string]string) error {
	err := s.ports.Store.SetTags(ctx, id, tags, s.settings.TagsPerCollection)
	switch KindOf(err) {
	case NotFound:
		return errNoCollection(id)
	case QuotaExceeded:
		return s.tooManyTags()
	default:
		return err
	}
}

func (s *Service) tooManyTags() error {
	return Errorf(QuotaExceeded, "A collection has at most %d tags", s.settings.TagsPerCollection)
}

// Untag removes those of the tags that are there. [NotFound].
func (s *Service) Untag(ctx context.Context, id CollectionID, keys []string) error {
	err := s.ports.Store.DeleteTags(ctx, id, keys)
	if KindOf(err) == NotFound {
		return errNoCollection(id)
	}
	return err
}
