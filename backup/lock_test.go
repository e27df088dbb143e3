package backup

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// lockedIn asks for a lock of a bucket's vault.
func (s *shop) lockedIn(mode app.LockMode, days int) {
	s.spec.Settings = maps.Clone(s.spec.Settings)
	if mode == app.LockNone {
		delete(s.spec.Settings, "lock_mode")
		delete(s.spec.Settings, "lock_days")
		return
	}
	s.spec.Settings["lock_mode"], s.spec.Settings["lock_days"] = string(mode), strconv.Itoa(days)
}

func (s *shop) wantLock(v *Vault, mode app.LockMode, days int) {
	s.t.Helper()
	info, err := v.Describe(s.t.Context())
	if err != nil || info.Lock != (app.LockSettings{Mode: mode, Days: days}) {
		s.t.Errorf("lock %+v, %v, want %s for %d days", info.Lock, err, mode, days)
	}
}

func (s *shop) client() *minio.Client {
	s.t.Helper()
	c, err := minio.New(s.spec.Settings["endpoint"], &minio.Options{
		Creds: credentials.NewStaticV4(s.spec.Settings["access_key"], s.spec.Secrets["secret_key"].Reveal(), ""),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// until returns until when every object is locked that Kopia locks; the zero
// time of one that isn't.
func (s *shop) until() map[string]time.Time {
	s.t.Helper()
	if s.locks != nil {
		return s.locks()
	}
	c, until := s.client(), map[string]time.Time{}
	prefix := s.spec.Settings["prefix"] + "/"
	for o := range c.ListObjects(s.t.Context(), s.spec.Settings["bucket"], minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			s.t.Fatal(o.Err)
		}
		name := strings.TrimPrefix(o.Key, prefix)
		if !slices.ContainsFunc(repo.GetLockingStoragePrefixes(), func(p blob.ID) bool { return strings.HasPrefix(name, string(p)) }) {
			continue
		}
		_, at, err := c.GetObjectRetention(s.t.Context(), s.spec.Settings["bucket"], o.Key, "")
		switch {
		case err != nil && minio.ToErrorResponse(err).Code == "NoSuchObjectLockConfiguration", err == nil && at == nil:
			until[name] = time.Time{}
		case err != nil:
			s.t.Fatalf("retention of %s: %v", o.Key, err)
		default:
			until[name] = *at
		}
	}
	if len(until) < 4 {
		s.t.Fatalf("only %v", until)
	}
	return until
}

// lockable runs a test in a bucket in memory, and against a real server of its
// own: KVART_TEST_MINIO=endpoint,access,secret; HTTP, so on this computer.
func lockable(t *testing.T, run func(t *testing.T, s *shop)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		server := &s3test.Server{Versions: true, Locking: true}
		s := shopInBucket(t, server)
		s.locks = watchLocks(t, server)
		run(t, s)
	})
	t.Run("minio", func(t *testing.T) {
		t.Parallel()
		parts := strings.Split(os.Getenv("KVART_TEST_MINIO"), ",")
		if len(parts) != 3 {
			t.Skip("KVART-SKIP minio: KVART_TEST_MINIO is not set to endpoint,access,secret")
		}
		s := shopAt(t, parts[0], "kvart-"+strconv.FormatInt(time.Now().UnixNano(), 36), parts[1], parts[2])
		if err := s.client().MakeBucket(t.Context(), s.spec.Settings["bucket"], minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
			t.Fatal(err)
		}
		run(t, s)
	})
}

// watchLocks returns what until does, from the requests that a server is sent.
func watchLocks(t *testing.T, server *s3test.Server) func() map[string]time.Time {
	var mu sync.Mutex
	until := map[string]time.Time{}
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		name, ours := strings.CutPrefix(r.URL.Path, "/"+s3test.Bucket+"/shop/")
		if !ours || !slices.ContainsFunc(repo.GetLockingStoragePrefixes(), func(p blob.ID) bool { return strings.HasPrefix(name, string(p)) }) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodDelete:
			delete(until, name)
		case r.Method != http.MethodPut:
		case r.URL.Query().Has("retention"):
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(b))
			var asked struct{ RetainUntilDate time.Time }
			if err := xml.Unmarshal(b, &asked); err != nil {
				t.Error(err)
			}
			until[name] = asked.RetainUntilDate
		default:
			at, err := time.Parse(time.RFC3339, r.Header.Get("x-amz-object-lock-retain-until-date"))
			if err != nil {
				at = time.Time{} // not locked
			}
			until[name] = at
		}
		return false
	})
	return func() map[string]time.Time {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(until)
	}
}

func TestVault_LockIsExtended(t *testing.T) {
	t.Parallel()
	lockable(t, func(t *testing.T, s *shop) {
		s.lockedIn(app.LockGovernance, 5)
		v := s.create("kassan", time.Now)
		s.wantLock(v, app.LockGovernance, 5)
		s.save(v, "kassa", vaulttest.File("a", vaulttest.Noise(10_000, 1)), vaulttest.Paged("db", vaulttest.Noise(100_000, 2)))
		before := s.until()
		for name, until := range before {
			if left := time.Until(until); left < 4*day || left > 6*day {
				t.Errorf("%s is locked for %v", name, left)
			}
		}
		params, err := maintenance.GetParams(t.Context(), v.rep)
		if err != nil || !params.ExtendObjectLocks {
			t.Fatalf("parameters %+v, %v", params, err)
		}
		time.Sleep(2 * time.Second) // storages round to seconds
		if err := v.run(t.Context(), maintenance.ModeFull); err != nil {
			t.Fatalf("full maintenance: %v", err)
		}
		after := s.until()
		for name, until := range before {
			if !after[name].After(until) {
				t.Errorf("%s is locked until %v, was until %v", name, after[name], until)
			}
		}
		proof, err := v.ProveLock(t.Context())
		if err != nil || proof.State == app.LockOpen || proof.State == "" {
			t.Errorf("proof %+v, %v", proof, err)
		}
		// Whatever the settings of another computer say.
		s.lockedIn(app.LockNone, 0)
		s.wantLock(s.open("lagret", time.Now), app.LockGovernance, 5)
	})
}

func TestVault_LockIsStrengthened(t *testing.T) {
	t.Parallel()
	lockable(t, func(t *testing.T, s *shop) {
		v := s.create("kassan", time.Now)
		s.save(v, "kassa")
		s.wantLock(v, app.LockNone, 0)
		steps := []struct {
			mode app.LockMode
			days int
			want app.LockSettings
		}{
			{app.LockGovernance, 4, app.LockSettings{Mode: app.LockGovernance, Days: 4}},
			{app.LockGovernance, 3, app.LockSettings{Mode: app.LockGovernance, Days: 4}}, // never weaker
			{app.LockNone, 0, app.LockSettings{Mode: app.LockGovernance, Days: 4}},
			{app.LockCompliance, 6, app.LockSettings{Mode: app.LockGovernance, Days: 6}}, // the mode stays
		}
		s.lockedIn(app.LockGovernance, 4)
		other := s.open("lagret", time.Now)
		s.save(other, "lager")
		s.maintain(other) // not the one that maintains
		s.wantLock(other, app.LockNone, 0)
		was := app.LockSettings{}
		for _, step := range steps {
			s.lockedIn(step.mode, step.days)
			v := s.open("kassan", time.Now)
			s.wantLock(v, was.Mode, was.Days)
			if err := v.MaintainWithin(t.Context(), app.DefaultRetention(), false); err != nil {
				t.Fatalf("maintain: %v", err)
			}
			s.wantLock(v, step.want.Mode, step.want.Days)
			if was != step.want {
				for name, until := range s.until() {
					if time.Until(until) < 3*day {
						t.Errorf("%+v: %s is locked until %v", step, name, until)
					}
				}
			}
			was = step.want
		}
		if err := s.open("kassan", time.Now).ChangePassphrase(t.Context(), app.NewSecret(nextPassphrase)); err != nil {
			t.Errorf("change passphrase under a lock: %v", err)
		}
		setup := s.setup("kassan")
		setup.Passphrase = app.NewSecret(nextPassphrase)
		again := s.opened(provide(time.Now).Open(t.Context(), setup))
		s.wantLock(again, app.LockGovernance, 6)
		s.save(again, "kassa")
		for _, name := range []string{"kopia.repository", "kopia.blobcfg"} {
			if until := s.until()[name]; time.Until(until) < 3*day {
				t.Errorf("%s is locked until %v", name, until)
			}
		}
	})
}

// What is put back into a locked bucket is locked as the rest is.
func TestProvider_PutsBackUnderLock(t *testing.T) {
	t.Parallel()
	lockable(t, func(t *testing.T, s *shop) {
		s.lockedIn(app.LockGovernance, 5)
		v := s.create("kassan", time.Now)
		s.save(v, "kassa")
		blobs, err := v.KitBlobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name := range blobs {
			if err := v.loc.Base.DeleteBlob(context.WithoutCancel(t.Context()), blob.ID(name)); err != nil {
				t.Fatal(err)
			}
		}
		setup := s.setup("nya")
		_, err = provide(time.Now).Open(t.Context(), setup)
		s.wantCode(err, app.CodeVaultHidden)
		setup.Blobs = blobs
		again := s.opened(provide(time.Now).Open(t.Context(), setup))
		s.wantLock(again, app.LockGovernance, 5)
		s.save(again, "kassa")
		for name := range blobs {
			if until := s.until()[name]; time.Until(until) < 4*day {
				t.Errorf("%s is locked until %v", name, until)
			}
		}
	})
}

func TestProvider_RefusesShortLock(t *testing.T) {
	t.Parallel()
	for _, lock := range []app.LockSettings{{Mode: app.LockGovernance, Days: 2}, {Mode: app.LockCompliance}} {
		if _, err := retentionFor(lock); app.CodeOf(err) != app.CodeLockShort {
			t.Errorf("%+v: %v", lock, err)
		}
	}
	governance, compliance := app.LockSettings{Mode: app.LockGovernance, Days: 3}, app.LockSettings{Mode: app.LockCompliance, Days: 30}
	for _, tt := range []struct{ have, want, get app.LockSettings }{
		{app.LockSettings{}, compliance, compliance},
		{compliance, app.LockSettings{}, compliance},
		{compliance, governance, compliance},
		{governance, compliance, app.LockSettings{Mode: app.LockGovernance, Days: 30}},
	} {
		if got := stronger(tt.have, tt.want); got != tt.get {
			t.Errorf("%+v, asked for %+v, becomes %+v", tt.have, tt.want, got)
		}
	}
}
