package onnx

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// MaxShapes is how many input shapes a session keeps buffers for. Videos of one run seldom differ in shape; a folder of
// photos differs in every one, and then the least recently used buffers make room.
const MaxShapes = 6

// Session is one loaded model with one input, all of float32, and buffers of its own. It is used by one goroutine at a
// time; sessions of the same model share what is loaded and may run side by side.
type Session struct {
	model   *model // nil when closed
	input   string
	outputs []string
	// runs are the buffers per input shape, most recently used first.
	runs []*Run
}

// Shape is an input's: pictures, channels, rows, columns.
type Shape [4]int64

// Run is a session's input and outputs for one input shape; the outputs are there after the first run. The tensors' memory is Go's; they hold on to it for as long as
// onnxruntime may use it. (Pinning it as well would only add a panic for a session that nobody closed.)
type Run struct {
	shape   Shape
	input   *ort.Tensor[float32]
	outputs []*ort.Tensor[float32]
	binding *ort.IoBinding
	session *Session
}

// NewSession loads a model, given as the bytes of its file, with the names of its input and of the wanted outputs. Where the
// library has it loaded already, that takes no time and next to no memory.
func (l *Library) NewSession(content []byte, input string, outputs ...string) (*Session, error) {
	m, err := l.models.load(content, input, outputs)
	if err != nil {
		return nil, err
	}
	return &Session{model: m, input: input, outputs: outputs}, nil
}

// models are those that a library has loaded.
type models struct {
	mu     sync.Mutex
	loaded map[modelKey]*model
}

type modelKey struct {
	content [sha256.Size]byte
	ports   string
}

// model is one that is loaded. onnxruntime lets any number of goroutines run it at once.
type model struct {
	session *ort.DynamicAdvancedSession
	of      *models
	key     modelKey
	users   int // guarded by of.mu
}

func (ms *models) load(content []byte, input string, outputs []string) (*model, error) {
	key := modelKey{sha256.Sum256(content), strings.Join(append([]string{input}, outputs...), "\x00")}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if m := ms.loaded[key]; m != nil {
		m.users++
		return m, nil
	}
	options, err := sessionOptions()
	if err != nil {
		return nil, fmt.Errorf("set up an onnxruntime session: %w", err)
	}
	defer func() { _ = options.Destroy() }()
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(content, []string{input}, outputs, options)
	if err != nil {
		return nil, fmt.Errorf("load the model into onnxruntime: %w", err)
	}
	if ms.loaded == nil {
		ms.loaded = map[modelKey]*model{}
	}
	m := &model{session: session, of: ms, key: key, users: 1}
	ms.loaded[key] = m
	return m, nil
}

// release gives the model up; the last user's call frees it.
func (m *model) release() error {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	if m.users--; m.users > 0 {
		return nil
	}
	delete(m.of.loaded, m.key)
	return m.session.Destroy()
}

// sessionOptions leaves session.set_denormal_as_zero alone on purpose: onnxruntime would set the processor's mode on the
// thread that happens to make the session, and whatever Go computes there afterwards would round differently.
func sessionOptions() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(1),
		o.SetInterOpNumThreads(1),
		o.SetExecutionMode(ort.ExecutionModeSequential),
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
	)
	if err != nil {
		return nil, errors.Join(err, o.Destroy())
	}
	return o, nil
}

// For returns the buffers for an input of this shape, made on first use. They stay valid until the session has served
// MaxShapes other shapes since or is closed.
func (s *Session) For(shape Shape) (*Run, error) {
	for i, r := range s.runs {
		if r.shape == shape {
			copy(s.runs[1:i+1], s.runs[:i])
			s.runs[0] = r
			return r, nil
		}
	}
	r, err := s.newRun(shape)
	if err != nil {
		return nil, fmt.Errorf("run the model on an input of %v: %w", shape, err)
	}
	if len(s.runs) == MaxShapes {
		last := s.runs[MaxShapes-1]
		s.runs = s.runs[:MaxShapes-1]
		if err := last.destroy(); err != nil {
			return nil, errors.Join(err, r.destroy())
		}
	}
	s.runs = append(s.runs, nil)
	copy(s.runs[1:], s.runs)
	s.runs[0] = r
	return r, nil
}

func (s *Session) newRun(shape Shape) (*Run, error) {
	if slices.Min(shape[:]) < 1 {
		return nil, errors.New("there is nothing in it")
	}
	input, err := ort.NewEmptyTensor[float32](shape[:])
	if err != nil {
		return nil, err
	}
	return &Run{shape: shape, session: s, input: input}, nil
}

// first runs the model without knowing the shapes of its outputs, and keeps these as the buffers of the runs to come.
func (r *Run) first() error {
	s := r.session
	values := make([]ort.Value, len(s.outputs))
	if err := s.model.session.Run([]ort.Value{r.input}, values); err != nil {
		return err
	}
	var err error
	for i, v := range values {
		t, ok := v.(*ort.Tensor[float32])
		if !ok || len(t.GetData()) == 0 {
			err = errors.Join(err, fmt.Errorf("output %q is not made of float32", s.outputs[i]), v.Destroy())
			continue
		}
		r.outputs = append(r.outputs, t)
	}
	if err == nil {
		err = r.bind()
	}
	if err != nil { // as if it had not run
		for _, t := range r.outputs {
			err = errors.Join(err, t.Destroy())
		}
		r.outputs = nil
	}
	return err
}

func (r *Run) bind() error {
	b, err := r.session.model.session.CreateIoBinding()
	if err != nil {
		return err
	}
	err = b.BindInput(r.session.input, r.input)
	for i, t := range r.outputs {
		err = errors.Join(err, b.BindOutput(r.session.outputs[i], t))
	}
	if err != nil {
		return errors.Join(err, b.Destroy())
	}
	r.binding = b
	return nil
}

// Close frees the buffers, and the model with the last session of it. It may be called more than once.
func (s *Session) Close() error {
	if s.model == nil {
		return nil
	}
	var err error
	for _, r := range s.runs {
		err = errors.Join(err, r.destroy())
	}
	err = errors.Join(err, s.model.release())
	s.model, s.runs = nil, nil
	return err
}

// Input is the buffer to fill, in the order of the shape, the last dimension fastest.
func (r *Run) Input() []float32 { return r.input.GetData() }

// Output is output i of the latest run, overwritten by the next.
func (r *Run) Output(i int) []float32 { return r.outputs[i].GetData() }

// Do runs the model on the input buffer into the output buffers.
func (r *Run) Do() error {
	run := r.first
	if r.binding != nil {
		run = func() error { return r.session.model.session.RunWithBinding(r.binding) }
	}
	if err := run(); err != nil {
		return fmt.Errorf("run the model on an input of %v: %w", r.shape, err)
	}
	return nil
}

func (r *Run) destroy() error {
	var err error
	if r.binding != nil {
		err = r.binding.Destroy()
	}
	for _, t := range r.outputs {
		err = errors.Join(err, t.Destroy())
	}
	if r.input != nil {
		err = errors.Join(err, r.input.Destroy())
	}
	return err
}
