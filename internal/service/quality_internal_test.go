package service

import (
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

// TestBars holds each bar just above and just below each of its figures.
func TestBars(t *testing.T) {
	t.Parallel()
	good := func() *PhotoFace {
		f := &PhotoFace{Height: 200}
		f.Confidence, f.Quality = 99, face.Quality{Brightness: 50, Sharpness: 50}
		return f
	}
	for name, tc := range map[string]struct {
		filter QualityFilter
		change func(*PhotoFace)
		want   Reason // none where it passes
	}{
		"good":              {QualityMedium, func(*PhotoFace) {}, ""},
		"height":            {QualityMedium, func(f *PhotoFace) { f.Height = 40 }, ""},
		"low":               {QualityMedium, func(f *PhotoFace) { f.Height = 39 }, SmallBoundingBox},
		"turned":            {QualityMedium, func(f *PhotoFace) { f.Pose.Yaw = -64 }, ""},
		"turned left":       {QualityMedium, func(f *PhotoFace) { f.Pose.Yaw = -66 }, ExtremePose},
		"turned right":      {QualityMedium, func(f *PhotoFace) { f.Pose.Yaw = 66 }, ExtremePose},
		"tilted":            {QualityMedium, func(f *PhotoFace) { f.Pose.Pitch = 49 }, ""},
		"tilted up":         {QualityMedium, func(f *PhotoFace) { f.Pose.Pitch = 51 }, ExtremePose},
		"tilted down":       {QualityMedium, func(f *PhotoFace) { f.Pose.Pitch = -51 }, ExtremePose},
		"dim":               {QualityMedium, func(f *PhotoFace) { f.Quality.Brightness = 11 }, ""},
		"dark":              {QualityMedium, func(f *PhotoFace) { f.Quality.Brightness = 9 }, LowBrightness},
		"rather sure":       {QualityMedium, func(f *PhotoFace) { f.Confidence = 66 }, ""},
		"unsure":            {QualityMedium, func(f *PhotoFace) { f.Confidence = 64 }, LowConfidence},
		"weak":              {QualityMedium, func(f *PhotoFace) { f.Weak = true }, LowFaceQuality},
		"auto takes weak":   {QualityAuto, func(f *PhotoFace) { f.Weak = true }, ""},
		"auto is unsaid":    {"", func(f *PhotoFace) { f.Weak = true }, ""},
		"auto takes small":  {QualityAuto, func(f *PhotoFace) { f.Height = 41 }, ""},
		"auto has an end":   {QualityAuto, func(f *PhotoFace) { f.Height = 39 }, SmallBoundingBox},
		"auto wants some":   {QualityAuto, func(f *PhotoFace) { f.Quality.Sharpness = 14 }, LowSharpness},
		"low takes smaller": {QualityLow, func(f *PhotoFace) { f.Height = 25 }, ""},
		"high wants more":   {QualityHigh, func(f *PhotoFace) { f.Height = 79 }, SmallBoundingBox},
		"none takes all":    {QualityNone, func(f *PhotoFace) { f.Height, f.Weak, f.Pose.Yaw = 3, true, 170 }, ""},
	} {
		f := good()
		tc.change(f)
		var want []Reason
		if tc.want != "" {
			want = []Reason{tc.want}
		}
		bar := tc.filter.bar()
		if have := bar.reasons(f); !slices.Equal(have, want) {
			t.Errorf("%s: %v, want %v", name, have, want)
		}
	}
}
