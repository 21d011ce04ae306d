package awsapi

import "strings"

// maxExternalID is the longest ExternalImageId that AWS allows, in characters.
const maxExternalID = 255

// ExternalImageID names an enrolled photo: PERSON.PHOTO, or PERSON where photo is empty. Characters that AWS does not
// allow in an ExternalImageId (all but a-z, A-Z, 0-9 and _ . - :) become _, one for one. What is too long for AWS's 255
// characters loses the end of the person's name beyond 127 and then the beginning of the photo's: people are told
// apart by how their names begin, photos of a series by the number at their end.
//
// Different names can give the same id; it is for people and scripts to read, and the face's id is what identifies it.
func ExternalImageID(person, photo string) string {
	person, photo = allowed(person), allowed(photo)
	if person == "" {
		person = "_"
	}
	if photo == "" {
		return person[:min(len(person), maxExternalID)]
	}
	if over := len(person) + 1 + len(photo) - maxExternalID; over > 0 {
		const half = (maxExternalID - 1) / 2
		person = person[:max(len(person)-over, min(len(person), half))]
		photo = photo[max(len(person)+1+len(photo)-maxExternalID, 0):]
	}
	return person + "." + photo
}

func allowed(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '-', r == ':':
			return r
		default:
			return '_'
		}
	}, name)
}
