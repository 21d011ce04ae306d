package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Threshold is a similarity in percent, 0..100, or [AutoThreshold]. Written "80" or "80%".
type Threshold float64

// AutoThreshold has the threshold chosen by how many faces are enrolled. Written "auto".
const AutoThreshold Threshold = -1

const auto = "auto"

// UnmarshalText reads a percentage or "auto".
func (t *Threshold) UnmarshalText(text []byte) error {
	if strings.TrimSpace(string(text)) == auto {
		*t = AutoThreshold
		return nil
	}
	v, err := number(strings.TrimSpace(strings.TrimSuffix(string(text), "%")), 0, 100)
	if err != nil {
		return fmt.Errorf("%w, nor auto", err)
	}
	*t = Threshold(v)
	return nil
}

// MarshalText writes the number alone, or "auto".
func (t Threshold) MarshalText() ([]byte, error) {
	if t == AutoThreshold {
		return []byte(auto), nil
	}
	return formatNumber(float64(t)), nil
}

// minSampleRate is one frame in a hundred seconds; less than that is a mistake, not a wish.
const minSampleRate = 0.01

// Rate is frames per second, above 0 and up to 60.
type Rate float64

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(text []byte) error {
	v, err := number(string(text), minSampleRate, maxSampleRate)
	if err != nil {
		return err
	}
	*r = Rate(v)
	return nil
}

// MarshalText writes the number alone.
func (r Rate) MarshalText() ([]byte, error) { return formatNumber(float64(r)), nil }

// Count is a whole number, never negative.
type Count int

// UnmarshalText reads a whole number.
func (c *Count) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a whole number of 0 or more", text)
	}
	*c = Count(v)
	return nil
}

// MarshalText writes the digits.
func (c Count) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(c), 10), nil }

// Path is the path of a file or folder; empty where the usual place is to be looked in.
type Path string

// UnmarshalText reads a path as it is.
func (p *Path) UnmarshalText(text []byte) error {
	if strings.ContainsRune(string(text), 0) {
		return errors.New("a path holds no NUL byte")
	}
	*p = Path(text)
	return nil
}

// MarshalText writes the path as it is.
func (p Path) MarshalText() ([]byte, error) { return []byte(p), nil }

// Duration is a length of time, written as Go does: 90s, 6h, 1h30m.
type Duration time.Duration

// maxLength is a week: no sensible video is longer, and its milliseconds fit everywhere.
const maxLength = 7 * 24 * time.Hour

// UnmarshalText reads a duration above zero.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 || v > maxLength {
		return fmt.Errorf("%q is not a length of time such as 90s, 45m or 6h, up to %s", text, shortDuration(maxLength))
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration without empty parts.
func (d Duration) MarshalText() ([]byte, error) { return []byte(shortDuration(time.Duration(d))), nil }

func shortDuration(d time.Duration) string {
	s := d.String()
	for _, empty := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, empty) {
			s = s[:len(s)-len(empty)+1]
		}
	}
	return s
}

// Size is a number of bytes, written with a decimal unit (10GB, 15 MB, 500kB) or a binary one (2GiB, 64MiB).
type Size int64

const (
	kilobyte Size = 1000
	megabyte      = 1000 * kilobyte
	gigabyte      = 1000 * megabyte
	terabyte      = 1000 * gigabyte
	maxSize       = 1000 * terabyte

	kibibyte Size = 1 << 10
	mebibyte      = kibibyte << 10
	gibibyte      = mebibyte << 10
	tebibyte      = gibibyte << 10
)

// UnmarshalText reads a size above zero; a number without unit is bytes.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, known := unitSize(strings.ToLower(strings.TrimSpace(string(text[len(digits):]))))
	v, err := number(digits, 0, float64(maxSize))
	bytes := v * float64(unit)
	if err != nil || !known || bytes < 1 || bytes > float64(maxSize) {
		return fmt.Errorf("%q is not a size such as 500MB, 10GB or 2GiB", text)
	}
	*s = Size(bytes)
	return nil
}

// Budget is a [Size], or 0 for no limit.
type Budget Size

// UnmarshalText reads a size or 0.
func (b *Budget) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*b = 0
		return nil
	}
	return (*Size)(b).UnmarshalText(text)
}

// MarshalText writes it as [Size.MarshalText] does.
func (b Budget) MarshalText() ([]byte, error) { return Size(b).MarshalText() }

// MarshalText writes the largest unit that leaves a whole number, a decimal one if there is any.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range []struct {
		size Size
		name string
	}{
		{terabyte, "TB"},
		{gigabyte, "GB"},
		{megabyte, "MB"},
		{kilobyte, "kB"},
		{tebibyte, "TiB"},
		{gibibyte, "GiB"},
		{mebibyte, "MiB"},
		{kibibyte, "KiB"},
	} {
		if s != 0 && s%u.size == 0 {
			return []byte(strconv.FormatInt(int64(s/u.size), 10) + u.name), nil
		}
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

func unitSize(unit string) (Size, bool) {
	switch unit {
	case "", "b":
		return 1, true
	case "k", "kb":
		return kilobyte, true
	case "m", "mb":
		return megabyte, true
	case "g", "gb":
		return gigabyte, true
	case "t", "tb":
		return terabyte, true
	case "kib":
		return kibibyte, true
	case "mib":
		return mebibyte, true
	case "gib":
		return gibibyte, true
	case "tib":
		return tebibyte, true
	default:
		return 0, false
	}
}

// Sandbox is how much confinement a decoder must have before it may read a stranger's file.
type Sandbox string

const (
	// Strict refuses to decode where the kernel cannot confine the decoder fully.
	Strict Sandbox = "strict"
	// Relaxed decodes with whatever confinement the kernel offers.
	Relaxed Sandbox = "relaxed"
)

// UnmarshalText reads one of the two words.
func (s *Sandbox) UnmarshalText(text []byte) error {
	if err := checkSandbox(Sandbox(text)); err != nil {
		return fmt.Errorf("%q is neither %q nor %q", text, Strict, Relaxed)
	}
	*s = Sandbox(text)
	return nil
}

// MarshalText writes the word.
func (s Sandbox) MarshalText() ([]byte, error) { return []byte(s), nil }

// Kinds are kinds of video files, separated by commas: each of allKinds or fewer.
type Kinds string

// allKinds are the kinds that the decoder knows.
const allKinds Kinds = "mp4,matroska,avi,mpegts,mpegps,mxf,asf,flv,raw"

// UnmarshalText reads names with commas between them.
func (k *Kinds) UnmarshalText(text []byte) error {
	known := strings.Split(string(allKinds), ",")
	var list []string
	for name := range strings.SplitSeq(string(text), ",") {
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			return fmt.Errorf("%q is none of %s", name, allKinds)
		}
		list = append(list, name)
	}
	*k = Kinds(strings.Join(list, ","))
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (k Kinds) MarshalText() ([]byte, error) { return []byte(k), nil }

// FrameRate is frames per second; 0 is unknown.
type FrameRate float64

// UnmarshalText reads a number up to 1000.
func (r *FrameRate) UnmarshalText(text []byte) error {
	const fastest = 1000 // slow-motion cameras end there
	n, err := number(string(text), 0, fastest)
	if err != nil {
		return err
	}
	*r = FrameRate(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (r FrameRate) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(r), 'f', -1, 64), nil
}

// number reads a plain finite number within bounds, inclusive.
func number(text string, low, high float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		return 0, fmt.Errorf("%q is not a number between %v and %v", text, low, high)
	}
	return v, nil
}

func formatNumber(v float64) []byte { return strconv.AppendFloat(nil, v, 'g', -1, 64) }
