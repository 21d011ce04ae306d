package track

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Noise of the motion model as a share of the face's height, per square root of a second for what the model cannot know
// (acceleration) and flat for what the detector gets wrong. ByteTrack's weights (1/20 for positions, 1/160 for velocities
// a frame) are for 30 frames a second; these are their counterparts for a clock in seconds: a face that
// starts to walk gains about its own height a second each second, and boxes of one still face differ by some 5 %.
const (
	accelerationNoise = 1.0
	measurementNoise  = 0.05
	startVelocity     = 1.0
)

// axis is the constant-velocity Kalman filter of one coordinate: position in ratios, velocity in ratios a second.
type axis struct {
	x, v          float64
	pxx, pxv, pvv float64 // covariance
}

func newAxis(x, scale float64) axis {
	return axis{x: x, pxx: sq(measurementNoise * scale), pvv: sq(startVelocity * scale)}
}

// predict moves the filter dt seconds on.
func (a *axis) predict(dt, scale float64) {
	q := sq(accelerationNoise * scale)
	a.x += a.v * dt
	a.pxx += 2*dt*a.pxv + dt*dt*a.pvv + q*dt*dt*dt/3
	a.pxv += dt*a.pvv + q*dt*dt/2
	a.pvv += q * dt
}

// correct takes in a measured position.
func (a *axis) correct(z, scale float64) {
	s := a.pxx + sq(measurementNoise*scale)
	kx, kv := a.pxx/s, a.pxv/s
	d := z - a.x
	a.x += kx * d
	a.v += kv * d
	a.pvv -= kv * a.pxv
	a.pxv -= kx * a.pxv
	a.pxx -= kx * a.pxx
}

func sq(x float64) float64 { return x * x }

// motion predicts a face's box: four independent filters for the centre and the size. Horizontal noise scales with the
// width and vertical noise with the height, so the picture's aspect ratio does not matter.
type motion struct {
	cx, cy, w, h axis
	at           time.Duration
}

func newMotion(b face.Box, at time.Duration) motion {
	c := b.Center()
	w, h := float64(b.Width), float64(b.Height)
	return motion{
		cx: newAxis(float64(c.X), w), cy: newAxis(float64(c.Y), h),
		w: newAxis(w, w), h: newAxis(h, h), at: at,
	}
}

func (m *motion) predict(at time.Duration) face.Box {
	dt := (at - m.at).Seconds()
	w, h := m.w.x, m.h.x
	m.cx.predict(dt, w)
	m.cy.predict(dt, h)
	m.w.predict(dt, w)
	m.h.predict(dt, h)
	m.at = at
	return m.box()
}

func (m *motion) correct(b face.Box) {
	c := b.Center()
	w, h := float64(b.Width), float64(b.Height)
	m.cx.correct(float64(c.X), w)
	m.cy.correct(float64(c.Y), h)
	m.w.correct(w, w)
	m.h.correct(h, h)
}

func (m *motion) box() face.Box {
	w, h := max(m.w.x, 0), max(m.h.x, 0)
	return face.Box{
		Left: float32(m.cx.x - w/2), Top: float32(m.cy.x - h/2), Width: float32(w), Height: float32(h),
	}
}
