package backup_test

import (
	"context"
	"errors"
	"testing"

	"kvart/backup"
)

// Whichever hand reads it, an object that is not what was captured is found; and
// a reading that is given up says so.
func TestReadBack_everyHand(t *testing.T) {
	t.Parallel()
	const many = 2500
	v := fixture(t).Create(t)
	for _, objects := range []int{3, many} {
		if err := backup.ReadBack(t.Context(), v, objects, -1); err != nil {
			t.Errorf("%d objects, all right: %v", objects, err)
		}
		for _, wrong := range []int{0, 1, objects - 1} {
			if err := backup.ReadBack(t.Context(), v, objects, wrong); err == nil {
				t.Errorf("%d objects: the wrong one, %d, went unnoticed", objects, wrong)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := backup.ReadBack(ctx, v, many, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
