package awsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxExternalPart is the longest name of a person or a photo within an ExternalImageId, of which AWS allows 255
// characters, in characters.
const maxExternalPart = 127

// ExternalImageID names an enrolled photo: PERSON.PHOTO, or PERSON where photo is empty. AWS allows a-z, A-Z, 0-9 and
// _ . - : in it. Each byte (UTF-8) of another character, each colon and each dot of the person's name becomes a colon and two
// capital hex digits, so that names come back by reading it like a URL with : for %, the first dot between the two, and
// different names never give the same id. A name that takes more than 127 characters so ends in ":h" and 16 hex digits of
// its hash instead.
func ExternalImageID(person, photo string) string {
	id := escaped(person, true)
	if id == "" {
		id = ":"
	}
	if photo != "" {
		id += "." + escaped(photo, false)
	}
	return id
}

// escaped writes a name in the characters that are allowed.
func escaped(name string, dots bool) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.' && !dots:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, ":%02X", c)
		}
	}
	if b.Len() <= maxExternalPart {
		return b.String()
	}
	const digits = 8 // bytes of the hash
	sum := sha256.Sum256([]byte(name))
	end := maxExternalPart - len(":h") - 2*digits
	kept := b.String()[:end]
	if at := strings.LastIndexByte(kept, ':'); at > end-3 {
		kept = kept[:at] // not a part of an escape
	}
	return kept + ":h" + hex.EncodeToString(sum[:digits])
}
