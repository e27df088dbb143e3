package storage

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/azuretest"
)

func azureTestSpec(s *azuretest.Server) app.StorageSpec {
	return app.StorageSpec{
		Kind: "azure",
		Settings: map[string]string{
			"account": azuretest.Account, "domain": s.Domain, "container": azuretest.Container, "prefix": "shop", "insecure": "true",
		},
		Secrets: app.Secrets{"key": app.NewSecret(azuretest.Key)},
	}
}

// firmly adds the one lock there is.
func firmly(spec app.StorageSpec) app.StorageSpec {
	spec.Settings["lock_mode"], spec.Settings["lock_days"] = string(app.LockCompliance), "30"
	return spec
}

func TestOpen_AzureChecksSettings(t *testing.T) {
	t.Parallel()
	s := azuretest.Serve(t)
	for _, tt := range []struct {
		name  string
		spoil func(s *app.StorageSpec)
		want  app.Code
		field string
	}{
		{"neither key nor token", func(s *app.StorageSpec) { s.Secrets = nil }, app.CodeUsage, "key"},
		{"half a key", func(s *app.StorageSpec) { s.Secrets["key"] = app.NewSecret("abc") }, app.CodeUsage, "key"},
		{"an address for a name", func(s *app.StorageSpec) { s.Settings["account"] = "https://x.blob.core.windows.net" }, app.CodeUsage, "account"},
		{"a path for a container", func(s *app.StorageSpec) { s.Settings["container"] = "a/b" }, app.CodeUsage, "container"},
		{"in the clear", func(s *app.StorageSpec) { s.Settings["domain"] = "blob.core.windows.net" }, app.CodeStorageUnsafe, "insecure"},
		{"a lock that can be lifted", func(s *app.StorageSpec) { s.Settings["lock_mode"] = "governance" }, app.CodeUsage, "lock_mode"},
		{"too short a lock", func(s *app.StorageSpec) { firmly(*s).Settings["lock_days"] = "2" }, app.CodeLockShort, "lock_days"},
	} {
		spec := azureTestSpec(s)
		tt.spoil(&spec)
		_, err := Open(t.Context(), spec, false)
		if app.CodeOf(err) != tt.want || app.AsError(err).Args["field"] != tt.field {
			t.Errorf("%s: %v %v, want %s of %s", tt.name, err, app.AsError(err).Args, tt.want, tt.field)
		}
	}
}

func TestOpen_AzureRefusesSoon(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		code   string
		want   app.Code
	}{
		{http.StatusForbidden, "AuthenticationFailed", app.CodeStorageDenied},
		{http.StatusForbidden, "AuthorizationFailure", app.CodeStorageDenied},
		{http.StatusForbidden, "AuthorizationPermissionMismatch", app.CodeStorageRight},
		{http.StatusForbidden, "AccountIsDisabled", app.CodeStorageDenied},
		{http.StatusNotFound, "ContainerNotFound", app.CodeStorageGone},
		{http.StatusConflict, "ContainerBeingDeleted", app.CodeStorageGone},
		{http.StatusServiceUnavailable, "ServerBusy", app.CodeStorageBusy},
		{http.StatusInternalServerError, "InternalError", app.CodeStorageBusy},
		{http.StatusProxyAuthRequired, "", app.CodeProxyAuth},
	} {
		s := azuretest.Serve(t)
		s.Behave(func(b *azuretest.Behaviour) { b.Status, b.Refuse = tt.status, tt.code+" " })
		if tt.code != "" {
			s.Behave(func(b *azuretest.Behaviour) { b.Refuse = tt.code })
		}
		start := time.Now()
		_, err := Open(t.Context(), azureTestSpec(s), false)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.code, err, tt.want)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s took %v", tt.code, took)
		}
		if err != nil && strings.Contains(err.Error(), azuretest.Key) {
			t.Errorf("%s: the error holds the key", tt.code)
		}
	}
}

func TestOpen_AzureNobodyThere(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for _, domain := range []string{"0.0.1:1", strings.TrimPrefix(silent.Addr().String(), "127.")} {
		spec := azureTestSpec(&azuretest.Server{Domain: domain})
		start := time.Now()
		_, err := Open(t.Context(), spec, false)
		wantCode(t, err, app.CodeStorageOffline)
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("took %v", took)
		}
	}
}

func TestLocation_AzureProveLock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		behave func(b *azuretest.Behaviour)
		want   app.LockState
		code   app.Code
		can    bool
	}{
		{"locks", func(*azuretest.Behaviour) {}, app.LockHeld, "", true},
		{"locks, and tells nothing of itself", func(b *azuretest.Behaviour) { b.Secretive = true }, app.LockHeld, "", true},
		{"locks that can be lifted", func(b *azuretest.Behaviour) { b.Unlocks = true }, app.LockLifted, "", true},
		{"says that it locks and doesn't", func(b *azuretest.Behaviour) { b.Forgets = true }, app.LockOpen, "", true},
		{"can't lock", func(b *azuretest.Behaviour) { b.NoLocks = true }, "", app.CodeLockBucket, false},
		{"keeps no versions", func(b *azuretest.Behaviour) { b.NoVersions = true }, "", app.CodeLockBucket, true},
		{"breaks", func(b *azuretest.Behaviour) { b.Refuse, b.Status = "InternalError", 500 }, "", app.CodeStorageBusy, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := azuretest.Serve(t)
			loc, err := Open(t.Context(), firmly(azureTestSpec(s)), false)
			if err != nil {
				t.Fatal(err)
			}
			s.Behave(tt.behave)
			proof, err := loc.ProveLock(t.Context(), loc.Lock)
			wantCode(t, err, tt.code)
			if proof.State != tt.want || tt.want == app.LockHeld && proof.Refusal != "BlobImmutableDueToPolicy" {
				t.Errorf("proof %+v, want %s", proof, tt.want)
			}
			if tt.want == app.LockLifted && s.Kept() != 0 {
				t.Error("the probe was left, which nothing held")
			}
			if can, err := loc.Locks(t.Context()); tt.code != app.CodeStorageBusy && (err != nil || can != tt.can) {
				t.Errorf("can lock: %v, %v", can, err)
			}
			if err := loc.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpen_AzureWithoutLock(t *testing.T) {
	t.Parallel()
	s := azuretest.Serve(t)
	s.Behave(func(b *azuretest.Behaviour) { b.NoLocks = true })
	_, err := Open(t.Context(), firmly(azureTestSpec(s)), true)
	wantCode(t, err, app.CodeLockBucket)
	s.Behave(func(b *azuretest.Behaviour) { b.Secretive = true })
	_, err = Open(t.Context(), firmly(azureTestSpec(s)), true)
	wantCode(t, err, app.CodeLockBucket)
	loc, err := Open(t.Context(), firmly(azureTestSpec(s)), false) // what is there can be read
	if err != nil {
		t.Fatal(err)
	}
	if err := loc.Close(t.Context()); err != nil {
		t.Error(err)
	}
	plain, err := Open(t.Context(), azureTestSpec(s), true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = plain.ProveLock(t.Context(), plain.Lock)
	wantCode(t, err, app.CodeLockNone)
	if err := plain.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Probes whose own lock has ended are swept away by the next proof.
func TestLocation_AzureSweepsOldProbes(t *testing.T) {
	t.Parallel()
	s := azuretest.Serve(t)
	loc, err := Open(t.Context(), firmly(azureTestSpec(s)), false)
	if err != nil {
		t.Fatal(err)
	}
	s.Behave(func(b *azuretest.Behaviour) { b.Age = 48 * time.Hour })
	if _, err := loc.ProveLock(t.Context(), loc.Lock); err != nil {
		t.Fatal(err)
	}
	s.Behave(func(b *azuretest.Behaviour) { b.Age = 0 })
	for range 2 {
		if _, err := loc.ProveLock(t.Context(), loc.Lock); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Kept(); n != 2 {
		t.Errorf("%d probes are kept, want the 2 that are locked", n)
	}
	if i := slices.IndexFunc(s.Names(), func(n string) bool { return !strings.HasPrefix(n, "shop/"+probePrefix) }); i >= 0 {
		t.Errorf("left %s", s.Names()[i])
	}
	if state, err := loc.Survey(t.Context()); err != nil || state != app.LocationEmpty {
		t.Errorf("%s, %v", state, err)
	}
	if err := loc.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
