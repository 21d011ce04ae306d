package gallery

import "testing"

// TestSplitNeverSaturates tries every pair of codes with the bytes that make the largest sums.
func TestSplitNeverSaturates(t *testing.T) {
	t.Parallel()
	const most, least = 1<<15 - 1, -1 << 15
	for a := -maxCode; a <= maxCode; a++ {
		for b := -maxCode; b <= maxCode; b++ {
			a1, b1, a2, b2 := split(int8(a), int8(b))
			if int(a1)+int(a2) != a || int(b1)+int(b2) != b {
				t.Fatalf("%d and %d are split into %d, %d and %d, %d", a, b, a1, b1, a2, b2)
			}
			for _, pair := range [][2]int8{{a1, b1}, {a2, b2}} {
				var above, below int
				for _, code := range pair {
					above += max(0, int(code)) * (maxCode + codeOffset)
					below += min(0, int(code)) * (maxCode + codeOffset)
				}
				if above > most || below < least {
					t.Fatalf("%d and %d are split into %v: sums up to %d and down to %d", a, b, pair, above, below)
				}
			}
		}
	}
}
