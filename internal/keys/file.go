package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
)

// FileName is what the key file is usually called, in the data folder.
const FileName = "secret.key"

// Size is the size of the key file in bytes: a key of 256 bits, as AES-256 takes.
const Size = 32

// sealedVersion is the first byte of everything sealed, so that the way of sealing can change one day.
const sealedVersion = 1

// File is the secret that the server keeps beside its database, in a file of its own: who has a copy of the database but
// not this file can neither sign requests nor forge page tokens and sessions. Safe for concurrent use.
type File struct {
	secrets          cipher.AEAD
	tokens, sessions []byte
	print            []byte // tells this key file from others, and nothing about it
}

// OpenFile reads the key file, which only its owner may be able to read. If there is none yet and create says so it is
// made of 32 random bytes. Without create a missing file is an error: what it has sealed is lost without it.
func OpenFile(path string, create bool, random io.Reader) (*File, error) {
	key, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if key, err = makeFile(path, random); errors.Is(err, fs.ErrExist) {
			key, err = readFile(path) // another process was faster
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.EnvironmentError{
			Err:  fmt.Errorf("the key file %s is missing", path),
			Mend: "The access keys in the database cannot be used without it: put it back from where it is kept apart from backups.",
		}
	}
	if err != nil {
		return nil, err
	}
	return newFile(key)
}

func newFile(key []byte) (*File, error) {
	var sealing, tokens, sessions, mark []byte
	for _, derived := range []struct {
		key *[]byte
		use string
	}{
		{&sealing, "spotter access key secrets"},
		{&tokens, "spotter page tokens"},
		{&sessions, "spotter session tokens"},
		{&mark, "spotter key file's print"},
	} {
		var err error
		if *derived.key, err = hkdf.Key(sha256.New, key, nil, derived.use, Size); err != nil {
			return nil, fmt.Errorf("derive the key of %s: %w", derived.use, err)
		}
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of secrets: %w", err)
	}
	secrets, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of secrets: %w", err)
	}
	return &File{secrets: secrets, tokens: tokens, sessions: sessions, print: mark}, nil
}

// readFile refuses what cannot be the key file, or is no secret.
func readFile(path string) (_ []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // it is the operator's
	if errors.Is(err, fs.ErrPermission) {
		return nil, &fault.EnvironmentError{
			Err:  fmt.Errorf("open the key file: %w", err),
			Mend: "It can be read by one user only: run Spotter as that one, or give the file to this one with chown.",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != Size {
		return nil, &fault.EnvironmentError{
			Err:  fmt.Errorf("%s is not a key file: it must be a file of %d bytes", path, Size),
			Mend: "Put the right one back from where it is kept apart from backups.",
		}
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, &fault.EnvironmentError{
			Err: fmt.Errorf("the key file %s can be used by others (mode %#o)", path, info.Mode().Perm()),
			Mend: fmt.Sprintf("Run: chmod 600 %s\nIf anybody may have read it, make new access keys and delete the old ones.",
				path),
		}
	}
	key := make([]byte, Size)
	if _, err := io.ReadFull(f, key); err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	return key, nil
}

func makeFile(path string, random io.Reader) ([]byte, error) {
	key := make([]byte, Size)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := writeNew(path, key); err != nil {
		return nil, fmt.Errorf("write the key file: %w", err)
	}
	return key, nil
}

// TokenKey is the key that page tokens are sealed with. The caller's own copy.
func (k *File) TokenKey() []byte { return append([]byte(nil), k.tokens...) }

// SessionKey is the key that session tokens are sealed with. The caller's own copy.
func (k *File) SessionKey() []byte { return append([]byte(nil), k.sessions...) }

// Seal encrypts an access key's secret. It can be opened for the same id only.
func (k *File) Seal(id, secret string) []byte {
	//nolint:gosec // this cipher draws a random nonce by itself and wants none
	return k.secrets.Seal([]byte{sealedVersion}, nil, []byte(secret), []byte(id))
}

// Open decrypts an access key's secret.
func (k *File) Open(id string, sealed []byte) (string, error) {
	if len(sealed) == 0 || sealed[0] != sealedVersion {
		return "", fmt.Errorf("the sealed secret of access key %s is of no form that this version knows", id)
	}
	secret, err := k.secrets.Open(nil, nil, sealed[1:], []byte(id))
	if err != nil {
		return "", fmt.Errorf("the secret of access key %s was sealed with another key file, or has been changed", id)
	}
	return string(secret), nil
}

// newAccessKey makes an access key of AWS's shapes: AKIA and 16 of A-Z and 2-7, and a secret of 40 characters of base64,
// which are 240 random bits.
func newAccessKey(random io.Reader) (id, secret string, err error) {
	var bytes [10 + 30]byte
	if _, err := io.ReadFull(random, bytes[:]); err != nil {
		return "", "", fmt.Errorf("make an access key: %w", err)
	}
	return "AKIA" + base32.StdEncoding.EncodeToString(bytes[:10]), base64.StdEncoding.EncodeToString(bytes[10:]), nil
}

// writeNew writes a file that only its owner can read. It appears with all of its content or not at all, also when the
// machine stops meanwhile. If there is a file already the error is [fs.ErrExist].
func writeNew(path string, content []byte) error {
	place, err := outfile.New(path)
	if err != nil {
		return err
	}
	return place.Write(content)
}

// unfinishedPrefix is what the names of files begin with that writeNew has not finished. One stays when the process is
// killed in the middle.
func unfinishedPrefix(path string) string {
	return filepath.Join(filepath.Dir(path), outfile.Unfinished(path))
}

// syncFolder makes a new name in a folder last.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // it is the operator's
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
