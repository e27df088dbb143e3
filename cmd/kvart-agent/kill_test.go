//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

const (
	kills     = 10   // that have to hit a process at work; KVART_KILLS asks for more
	killTries = 5    // for each of them, before a test gives up
	pageBytes = 3900 // of random data in a row: with its head one row fills a page
)

// killer is a shop big enough to be killed in the middle of something.
type killer struct {
	*shop
	rand  *rand.Rand
	gen   int
	kills int // that have to hit a process at work
	hits  int
}

// newKiller makes a shop with a database of so many pages of 4 KB and 200
// files, and backs it up once. The seed is logged; KVART_SEED repeats a run's
// choices.
func newKiller(t *testing.T, pages int) *killer {
	t.Helper()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed := asked(t, "KVART_SEED", uint64(time.Now().UnixNano()))
	t.Logf("KVART_SEED=%d", seed)
	k := &killer{shop: newShop(t), rand: rand.New(rand.NewPCG(seed, 1)), kills: int(asked(t, "KVART_KILLS", kills))}
	if raced && os.Getenv(agentVar) == "" {
		k.kills = 3 // each takes a quarter of a minute then
	}
	k.sql(k.db, "PRAGMA journal_mode=WAL")
	k.sql(k.db, "CREATE TABLE sale (id INTEGER PRIMARY KEY, gen INTEGER, page BLOB)")
	k.sql(k.db, fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO sale SELECT i, 0, randomblob(%d) FROM n", pages, pageBytes))
	for i := range 200 {
		k.picture(i)
	}
	k.protect()
	k.must([]string{"backup"}, "runs.0.state", "done", "runs.1.state", "done")
	return k
}

// asked returns the number that the environment gives, or else another.
func asked(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (k *killer) picture(i int) {
	k.write(fmt.Sprintf("shop/Bilder/%d/Vara %03d.jpg", i%7, i), bytesOf(k.rand, 500+k.rand.IntN(20000)))
}

// trade changes one page in share of the database, and twenty pictures.
func (k *killer) trade(share int) {
	k.Helper()
	k.gen++
	k.sql(k.db, fmt.Sprintf("UPDATE sale SET gen=%d, page=randomblob(%d) WHERE id%%%d=%d", k.gen, pageBytes, share, k.gen%share))
	k.sql(k.db, fmt.Sprintf("INSERT INTO sale (gen, page) VALUES (%d, randomblob(%d))", k.gen, pageBytes))
	for range 20 {
		k.picture(k.rand.IntN(200))
	}
}

// kill starts kvart-agent, kills it after a delay and reports whether it was
// still at work by then.
func (k *killer) kill(after time.Duration, args ...string) bool {
	k.Helper()
	c := k.command(context.Background(), args...)
	if err := c.Start(); err != nil {
		k.Fatal(err)
	}
	time.Sleep(after)
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()         // and its state is looked at below
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		k.Fatalf("no wait status: %v", c.ProcessState)
	}
	return status.Signaled()
}

// timed returns how long a command takes.
func (k *killer) timed(args ...string) time.Duration {
	k.Helper()
	start := time.Now()
	k.must(args)
	return time.Since(start)
}

// sound reads the whole vault back: no verified point may be damaged, and
// nothing half-written may be listed at all.
func (k *killer) sound() {
	k.Helper()
	verified := k.points()
	var rep app.VerifyReport
	r := k.run("vault", "verify", "--percent", "100", "--json")
	if err := json.Unmarshal([]byte(r.out), &rep); err != nil {
		k.Fatalf("verify: %v\n%s\n%s", err, r.out, r.err)
	}
	for _, id := range rep.DamagedPoints {
		if slices.Contains(verified, id) {
			k.Errorf("point %s was called verified and is damaged", id)
		}
	}
	if r.code != exitDone || len(rep.Damaged) > 0 || rep.Points < len(verified) {
		k.Errorf("verify: exit code %d, %d of %d points read, damaged: %+v\n%s", r.code, rep.Points, len(verified), rep.Damaged, r.err)
	}
	k.must([]string{"status"}, "verdict", "safe")
}

// compare makes sure that what was restored to dir is what the shop holds.
func (k *killer) compare(dir string) {
	k.Helper()
	if got, want := k.contents(filepath.Join(dir, "kassan", "kassa.db")), k.contents(k.db); got != want {
		k.Errorf("database restored: %s, want %s", got, want)
	}
	got, want := k.files(filepath.Join(dir, "bilder")), k.files(k.pics)
	for name := range want {
		if got[name] != want[name] {
			k.Errorf("%s restored with %d bytes, want %d", name, len(got[name]), len(want[name]))
		}
	}
	if len(got) != len(want) {
		k.Errorf("%d files restored, want %d", len(got), len(want))
	}
}

// leftovers fails where killed commands' files pile up. What was half written
// may still be somebody's work, so it stays for a day and goes with the first
// maintenance after that.
func (k *killer) leftovers() {
	k.Helper()
	old := time.Now().Add(-25 * time.Hour)
	torn := append(k.names(k.vault, "*.tmp.*"), k.names(k.data, "spool-*", "near-*", "*.tmp", "*.new")...)
	k.Logf("half-written files after all kills: %d", len(torn))
	for _, f := range torn {
		if err := os.Chtimes(f, old, old); err != nil {
			k.Fatal(err)
		}
	}
	k.must([]string{"vault", "maintain"})
	for _, left := range [][]string{
		k.names(k.vault, "*.tmp.*"),
		k.names(k.data, "spool-*", "near-*", "*.tmp", "*.new", "tmp", "drill", "journal.db.damaged-*", "crash.log.1"),
		k.names(filepath.Join(k.root, "shop"), "*.kvart-new*", ".kvart-new*", "kassa.db-journal"),
		k.names(filepath.Join(k.root, "tmp"), "*?*"),
	} {
		for _, f := range left {
			if f != filepath.Join(k.root, "tmp") {
				k.Errorf("left behind: %s", f)
			}
		}
	}
	k.closed(k.data)
}

// backups kills backups between two shares of their length, until enough were
// hit, and looks after each whether anything was lost.
func (k *killer) backups(share int, from, to float64) {
	k.Helper()
	k.trade(share)
	whole := k.timed("backup")
	start := k.timed("status")
	writing, finished := 0, k.points()
	for try := 0; k.hits < k.kills; try++ {
		if try == killTries*k.kills {
			k.Fatalf("%d tries, %d hits", try, k.hits)
		}
		k.trade(share)
		blobs := len(k.names(k.vault, "*.f", "*.tmp.*"))
		delay := time.Duration(float64(whole) * (from + (to-from)*k.rand.Float64()))
		hit := k.kill(delay, "backup", "--json")
		if hit {
			k.hits++
			if len(k.names(k.vault, "*.f", "*.tmp.*")) > blobs {
				writing++
			}
		}
		r := k.must([]string{"backup"}, "runs.len", "2")
		for _, i := range []string{"0", "1"} {
			switch st := k.dig(r, "runs."+i+".state"); st {
			case "done":
				finished = append(finished, app.PointID(k.dig(r, "runs."+i+".point")))
			case "idle": // the one that was killed had done it
			default:
				k.Errorf("run after a kill at %v: %s", delay, r.out)
			}
		}
		if try%3 == 0 {
			finished = k.kept(finished)
		}
		to := filepath.Join(k.root, "elsewhere")
		k.must([]string{"restore", "--to", to, "--yes"}, "state", "done", "checks.0.ok", "true")
		k.compare(to)
		if err := os.RemoveAll(to); err != nil {
			k.Fatal(err)
		}
		if hit && k.hits%10 == 0 {
			k.sound()
		}
		if k.Failed() {
			k.Fatalf("after kill %d, at %v", k.hits, delay)
		}
	}
	k.Logf("%d of %d kills hit, %d of them after the first byte in the vault; a run takes %v, an empty command %v", k.hits, k.kills, writing, whole, start)
	k.kept(finished)
	k.leftovers()
}

// kept makes sure that verified points are still there, and returns those that
// are there now.
func (k *killer) kept(before []app.PointID) (now []app.PointID) {
	k.Helper()
	now = k.points()
	for _, id := range before {
		if !slices.Contains(now, id) {
			k.Errorf("point %s was verified and is gone", id)
		}
	}
	return now
}

func TestKill_capture(t *testing.T) {
	t.Parallel()
	newKiller(t, 9000).backups(10, 0, 0.4)
}

func TestKill_upload(t *testing.T) {
	t.Parallel()
	newKiller(t, 9000).backups(5, 0.4, 1)
}

// state is what lies in the shop's places.
type state struct {
	rows  string
	files map[string]string
}

func (k *killer) state() state {
	k.Helper()
	return state{k.contents(k.db), k.files(k.pics)}
}

// is reports whether the database is one state's and every file of it is there.
func (k *killer) is(now, want state) bool {
	for name, b := range want.files {
		if now.files[name] != b {
			return false
		}
	}
	return now.rows == want.rows
}

func TestKill_restore(t *testing.T) {
	t.Parallel()
	k := newKiller(t, 3000)
	point := k.state()
	at := time.Now().Format(time.RFC3339Nano)
	restore := []string{"restore", "--at", at, "--yes"}
	k.trade(2)
	whole := k.timed(restore...)
	if !k.is(k.state(), point) {
		t.Fatal("a restore that nobody disturbs does not bring the point back")
	}
	count := map[string]int{}
	for try := 0; k.hits < k.kills; try++ {
		if try == killTries*k.kills {
			t.Fatalf("%d tries, %d hits", try, k.hits)
		}
		k.trade(20)
		old := k.state()
		delay := time.Duration(float64(whole) * k.rand.Float64())
		if k.kill(delay, append(restore, "--json")...) {
			k.hits++
		}
		k.cutOff(k.state(), old, point)
		g := k.guard()
		rec := k.settled(g.client)
		k.end(g)
		now := k.state()
		switch {
		case rec.State == app.RestoreDone && k.is(now, point):
			count["done"]++
		case rec.Error != nil && rec.Error.Code == app.CodeInterrupted && k.is(now, old):
			count["given up"]++
		case k.is(now, old):
			count["not begun"]++
		default:
			t.Errorf("the newest restore is %s (%v), the shop neither as before nor as in the point", rec.State, rec.Error)
		}
		k.must(restore, "state", "done")
		if !k.is(k.state(), point) {
			t.Error("restored after the kill, and not as in the point")
		}
		if t.Failed() {
			t.Fatalf("after kill %d, at %v of %v", k.hits, delay, whole)
		}
	}
	t.Logf("%d kills hit; then %v; a restore takes %v", k.hits, count, whole)
	k.must([]string{"backup"})
	k.sound()
	k.leftovers()
}

// cutOff looks at the shop right after a kill: the database is one state or the
// other, and so is every file.
func (k *killer) cutOff(now, old, point state) {
	k.Helper()
	if now.rows != old.rows && now.rows != point.rows {
		k.Errorf("the database is neither the old one nor the point's: %s, %s, %s", now.rows, old.rows, point.rows)
	}
	for name := range old.files {
		if b := now.files[name]; b != old.files[name] && b != point.files[name] {
			k.Errorf("%s is neither the old one nor the point's", name)
		}
	}
}

// settled waits until the guard is done with restores, and returns the newest.
func (k *killer) settled(client app.Service) (newest app.RestoreRecord) {
	k.Helper()
	k.within(patience, "restore is resumed or given up", func() bool {
		recs, err := client.Restores(k.Context())
		if err != nil {
			k.Fatal(err)
		}
		for _, r := range recs {
			if r.State == app.RestoreSaving || r.State == app.RestoreApplying {
				return false
			}
		}
		if len(recs) > 0 {
			newest = recs[0]
		}
		return true
	})
	return newest
}

// A restore to another folder that was cut off goes on where it began, and
// nowhere else.
func TestKill_restoreElsewhere(t *testing.T) {
	t.Parallel()
	k := newKiller(t, 2000)
	whole := k.timed("restore", "--to", filepath.Join(k.root, "whole"), "--yes")
	for k.hits < 5 {
		to := filepath.Join(k.root, fmt.Sprintf("elsewhere %d", k.hits))
		if k.kill(time.Duration(float64(whole)*(0.4+0.5*k.rand.Float64())), "restore", "--to", to, "--yes") {
			k.hits++
		}
		g := k.guard()
		rec := k.settled(g.client)
		k.end(g)
		if rec.State == app.RestoreDone && rec.Target.Dir == to { // or it was killed before it had begun
			k.compare(to)
		}
		left, err := os.ReadDir(to)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range left {
			if e.Name() != "kassan" && e.Name() != "bilder" {
				t.Fatalf("%s: resumed in another place than begun: %s", rec.State, e.Name())
			}
		}
	}
}
