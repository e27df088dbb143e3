package backup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/maintenance"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// Whatever order records are read in, all computers agree.
func TestRecord_Compare(t *testing.T) {
	t.Parallel()
	ascending := []record{
		{Claims: 1, Revision: 9, Guard: "z"},
		{Claims: 2, Revision: 2, Guard: "a"}, // a later guard beats any renewal
		{Claims: 2, Revision: 2, Guard: "b"},
		{Claims: 2, Revision: 3, Guard: "a"},
		{Claims: 2, Revision: 2, Guard: "a", ReplacedBy: "x"}, // and being replaced a claim at the same time
		{Claims: 3, Revision: 4, Guard: "a"},
	}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.compare(b); got != want {
				t.Errorf("%+v against %+v: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestUserOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[app.ComputerID]string{"": "kvart", "0f3a": "0f3a", "Åsas dator@x": "-sas-dator-x", "kvart": "kvart-"} {
		if got := userOf(id); got != want {
			t.Errorf("%q is user %q, want %q", id, got, want)
		}
	}
}

// A record that another computer wrote while this one was storing is seen
// before anything of it becomes a point.
func TestVault_ReplacedInMidSave(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	old := s.create("kassan", time.Now)
	s.save(old, "kassa")
	fresh := s.open("nya", time.Now)
	item := vaulttest.File("a", []byte("late"))
	open := item.Open
	item.Open = func(ctx context.Context) (io.ReadCloser, error) {
		if err := fresh.Replace(t.Context(), "kassan"); err != nil {
			return nil, err
		}
		return open(ctx)
	}
	_, err := old.Save(t.Context(), []app.SaveRequest{vaulttest.Request("kassa", item)}, nil)
	s.wantCode(err, app.CodeReplaced)
	if points := vaulttest.Points(t, fresh, app.PointFilter{}); len(points) != 1 {
		t.Errorf("points %+v", points)
	}
}

func TestVault_SeenIsRenewedOnceAnHour(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	var off atomic.Int64
	v := s.create("kassan", func() time.Time { return time.Now().Add(time.Duration(off.Load())) })
	s.save(v, "kassa")
	first := vaulttest.Computers(t, v)[0]
	for _, step := range []struct {
		off   time.Duration
		renew bool
	}{{30 * time.Minute, false}, {61 * time.Minute, true}, {90 * time.Minute, false}, {0, true}} {
		off.Store(int64(step.off))
		before := vaulttest.Computers(t, v)[0].Seen
		s.save(v, "kassa")
		now := vaulttest.Computers(t, v)[0]
		if renewed := !now.Seen.Equal(before); renewed != step.renew || !now.Joined.Equal(first.Joined) {
			t.Errorf("after %v: seen %v, then %v, joined %v", step.off, before, now.Seen, now.Joined)
		}
	}
}

func TestVault_TenComputersOneVaultFolder(t *testing.T) {
	t.Parallel()
	tenComputers(t, shopInFolder(t))
}

// TestVault_TenComputersOneVaultBucket runs against a server of its own:
// KVART_TEST_S3=endpoint,bucket,access,secret.
func TestVault_TenComputersOneVaultBucket(t *testing.T) {
	t.Parallel()
	parts := strings.Split(os.Getenv("KVART_TEST_S3"), ",")
	if len(parts) != 4 {
		t.Skip("KVART-SKIP s3: KVART_TEST_S3 is not set to endpoint,bucket,access,secret")
	}
	s := shopAt(t, parts[0], parts[1], parts[2], parts[3])
	s.spec.Settings["prefix"] = "kvart-ten/" + strconv.FormatInt(time.Now().UnixNano(), 36)
	tenComputers(t, s)
}

// tenItems are what a computer stores in a round: its own, some of which stays,
// and what all of them store alike.
func tenItems(computer, round int) []app.Item {
	db := vaulttest.Noise(512<<10, uint64(computer))
	copy(db[round*50_000:], vaulttest.Noise(30_000, uint64(100+round)))
	list := []app.Item{
		vaulttest.Paged("kassa.db", db),
		vaulttest.File("own", vaulttest.Noise(20_000, uint64(1000+10*computer+round))),
		vaulttest.File("shared", bytes.Repeat([]byte{byte(round)}, 50_000)),
	}
	for i := range list {
		list[i].ModTime = list[i].ModTime.Add(time.Duration(round) * time.Minute)
	}
	return list
}

// tenComputers has ten computers save at once while one of them maintains, and
// checks that nothing is lost of any.
func tenComputers(t *testing.T, s *shop) {
	const computers, rounds = 10, 4
	vaults := []*Vault{s.create("dator-0", time.Now)}
	for i := 1; i < computers; i++ {
		vaults = append(vaults, s.open(app.ComputerID(fmt.Sprintf("dator-%d", i)), time.Now))
	}
	points := make([][]app.Point, computers)
	var saving, maintaining sync.WaitGroup
	done := make(chan struct{})
	maintaining.Go(func() { maintainUntil(t, vaults[0], done) })
	for i, v := range vaults {
		saving.Go(func() {
			for round := range rounds {
				r := vaulttest.Request(app.SourceID(fmt.Sprintf("kassa-%d", i)), tenItems(i, round)...)
				res, err := v.Save(t.Context(), []app.SaveRequest{r}, nil)
				if err != nil || res[0].Err != nil || !res[0].Point.Verified {
					t.Errorf("computer %d, round %d: %+v, %v", i, round, res, err)
					return
				}
				points[i] = append(points[i], res[0].Point)
			}
		})
	}
	saving.Wait()
	close(done)
	maintaining.Wait()
	reader := s.open("dator-0", time.Now)
	if list := vaulttest.Computers(t, reader); len(list) != computers {
		t.Errorf("%d computers, want %d", len(list), computers)
	}
	if all := vaulttest.Points(t, reader, app.PointFilter{}); len(all) != computers*rounds {
		t.Errorf("%d points, want %d", len(all), computers*rounds)
	}
	for i, own := range points {
		seqs := []uint64{}
		for round, p := range own {
			vaulttest.Compare(t, reader, p.ID, tenItems(i, round)...)
			seqs = append(seqs, p.Seq)
		}
		if len(own) != rounds || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != rounds {
			t.Errorf("computer %d: numbers %v", i, seqs)
		}
	}
	if r, err := reader.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(r.Damaged) > 0 {
		t.Errorf("verify: %+v, %v", r, err)
	}
}

// maintainUntil maintains again and again, whatever is due.
func maintainUntil(t *testing.T, v *Vault, done <-chan struct{}) {
	runs := 0
	for mode := maintenance.ModeFull; ; runs++ {
		select {
		case <-done:
			if runs == 0 {
				t.Error("nothing was maintained meanwhile")
			}
			return
		default:
		}
		err := v.MaintainWithin(t.Context(), app.DefaultRetention(), mode == maintenance.ModeFull)
		if err == nil {
			err = v.run(t.Context(), mode)
		}
		if err != nil {
			t.Errorf("maintain: %v", err)
			return
		}
		if mode = maintenance.ModeFull; runs%2 == 0 {
			mode = maintenance.ModeQuick
		}
	}
}
