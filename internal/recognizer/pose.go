package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// How a frontal face's five points lie, in the units that poseOf measures in, and how far the nose stands out.
const (
	// yawGain: sin(yaw) is 1.6 times the nose's way along the eye line, in eye distances. Correlates .96 with models of
	// pose; no ground truth was at hand (docs/decisions/0003-default-pack.md).
	yawGain = 1.6
	// noseHeight is where the nose's tip lies between the eye line (0) and the mouth (1) of a frontal face: the median
	// over LFW.
	noseHeight = 0.503
	// noseDepth is how far the tip stands out from the plane of eyes and mouth, in eye-mouth distances: yawGain's
	// 1/1.6 eye distances, at the template's 35.2 to 40.7 of eye distance to eye-mouth distance.
	noseDepth = 0.54
)

// poseOf estimates the pose from landmarks in pixels. Points that coincide give zeros.
func poseOf(p [5]face.Point) face.Pose {
	ex, ey := float64(p[face.EyeRight].X-p[face.EyeLeft].X), float64(p[face.EyeRight].Y-p[face.EyeLeft].Y)
	eyes := math.Hypot(ex, ey)
	if !(eyes > 0) {
		return face.Pose{}
	}
	ux, uy := ex/eyes, ey/eyes // along the eye line; (-uy, ux) points down the face
	mx := float64(p[face.EyeLeft].X+p[face.EyeRight].X) / 2
	my := float64(p[face.EyeLeft].Y+p[face.EyeRight].Y) / 2
	nx, ny := float64(p[face.Nose].X)-mx, float64(p[face.Nose].Y)-my
	lx := float64(p[face.MouthLeft].X+p[face.MouthRight].X)/2 - mx
	ly := float64(p[face.MouthLeft].Y+p[face.MouthRight].Y)/2 - my
	yaw := math.Asin(min(max(yawGain*(nx*ux+ny*uy)/eyes, -1), 1))
	pitch := 0.0
	if mouth := -lx*uy + ly*ux; mouth > 0 {
		pitch = math.Atan((noseHeight - (-nx*uy+ny*ux)/mouth) / noseDepth)
	}
	return face.Pose{Roll: degrees(math.Atan2(ey, ex)), Yaw: degrees(yaw), Pitch: degrees(pitch)}
}

func degrees(radians float64) float32 { return float32(radians * 180 / math.Pi) }
