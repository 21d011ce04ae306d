package packbuild

import (
	"slices"
	"strings"
	"testing"
)

const twoWeights = `[{"paths":["w.bin"],"weights":[
	{"name":"a","shape":[2,1],"dtype":"float32"},
	{"name":"b","shape":[3],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}}]}]`

// elevenBytes are 1 and -2 as float32, and three bytes.
func elevenBytes() []byte { return []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 2, 255} }

func TestWeights(t *testing.T) {
	t.Parallel()
	w, err := parseWeights([]byte(twoWeights), elevenBytes())
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.take("a", 2, 1)
	if err != nil || !slices.Equal(a, []float32{1, -2}) {
		t.Errorf("a is %v, %v", a, err)
	}
	if w.rest() == nil {
		t.Error("b was forgotten")
	}
	b, err := w.take("b", 3)
	if err != nil || !slices.Equal(b, []float32{-1, 0, 126.5}) {
		t.Errorf("b is %v, %v", b, err)
	}
	if err = w.rest(); err != nil {
		t.Error(err)
	}
	if _, err = w.take("a", 2); err == nil {
		t.Error("a has another shape")
	}
	if _, err = w.take("c", 2); err == nil {
		t.Error("there is no c")
	}
}

func TestWeightsRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, instead string }{
		"an unknown field":      {`"paths"`, `"colour":1,"paths"`},
		"two files":             {`"w.bin"`, `"w.bin","x.bin"`},
		"a name twice":          {`"b"`, `"a"`},
		"integers":              {`"float32"},`, `"int32"},`},
		"sixteen bits":          {`"uint8"`, `"uint16"`},
		"more than there is":    {`[2,1]`, `[2,2]`},
		"less than there is":    {`[3]`, `[2]`},
		"a product that wraps":  {`[2,1]`, `[4294967296,4294967296]`},
		"a negative side":       {`[2,1]`, `[-2,-1]`},
		"a side of nothing":     {`[2,1]`, `[0]`},
		"no sides":              {`[2,1]`, `[]`},
		"five sides":            {`[2,1]`, `[2,1,1,1,1]`},
		"a scale out of bounds": {`0.5`, `1e300`},
		"something more":        {`}]}]`, `}]}] {}`},
	} {
		manifest := strings.Replace(twoWeights, c.old, c.instead, 1)
		if manifest == twoWeights {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if w, err := parseWeights([]byte(manifest), elevenBytes()); err == nil {
			t.Errorf("%s: %v", name, w.tensors)
		}
	}
	if _, err := parseWeights([]byte(strings.Repeat(" ", maxWeightsManifest+1)), nil); err == nil {
		t.Error("an enormous manifest was read")
	}
	nan := elevenBytes()
	nan[2], nan[3] = 0xff, 0x7f
	if _, err := parseWeights([]byte(twoWeights), nan); err == nil {
		t.Error("a weight that is no number was taken")
	}
}

func TestNetworksRefuseOtherWeights(t *testing.T) {
	t.Parallel()
	for _, build := range []func(manifest, binaries []byte) ([]byte, error){ageGenderNetwork, expressionNetwork} {
		if _, err := build([]byte(twoWeights), elevenBytes()); err == nil || !strings.Contains(err.Error(), "no weights") {
			t.Errorf("two strange weights: %v", err)
		}
		if _, err := build(nil, nil); err == nil {
			t.Error("nothing was built")
		}
	}
}

func FuzzWeights(f *testing.F) {
	f.Add([]byte(twoWeights), elevenBytes())
	f.Add([]byte(`[{"paths":["a"],"weights":[]}]`), []byte{})
	f.Fuzz(func(t *testing.T, manifest, binaries []byte) {
		w, err := parseWeights(manifest, binaries)
		if err != nil {
			return
		}
		numbers := 0
		for _, one := range w.tensors {
			size := 1
			for _, d := range one.dims {
				size *= d
			}
			if size != len(one.values) {
				t.Fatalf("%v has %d numbers", one.dims, len(one.values))
			}
			numbers += size
		}
		if numbers > len(binaries) {
			t.Fatalf("%d numbers of %d bytes", numbers, len(binaries))
		}
	})
}
