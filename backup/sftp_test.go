package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	kopiasftp "github.com/kopia/kopia/repo/blob/sftp"
	"github.com/kopia/kopia/snapshot"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh/knownhosts"

	"kvart/app"
	"kvart/backup/storage"
	"kvart/backup/vaulttest"
)

func TestProvider_ConformanceOverSFTP(t *testing.T) {
	t.Parallel()
	s := serveSFTP(t)
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec { return s.spec(serverDir(t)) })
}

func TestProvider_SFTPMakesTheLastFolderOnly(t *testing.T) {
	t.Parallel()
	f, s := sftpFixture(t)
	dir := t.TempDir()
	f.Spec = s.spec(filepath.Join(dir, "a", "b"))
	_, err := f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	f.Spec = s.spec(filepath.Join(dir, "a"))
	_, err = f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("made %v", got)
	}
	f.Create(t)
}

// A path without a slash lies in the user's own folder.
func TestVault_SFTPInTheUsersFolder(t *testing.T) {
	t.Parallel()
	s, home := serveSFTP(t), serverDir(t)
	s.serve = func(c io.ReadWriteCloser) error {
		srv, err := sftp.NewServer(c, sftp.WithServerWorkingDirectory(home))
		if err != nil {
			return err
		}
		return errors.Join(srv.Serve(), srv.Close())
	}
	for _, dir := range []string{"vault", "~/other", "."} {
		f := &vaulttest.Fixture{Provider: provider(t), Spec: s.spec(dir), StateDir: t.TempDir()}
		if dir == "." {
			_, err := f.Provider.Create(t.Context(), f.Setup())
			wantCode(t, err, app.CodeStorageForeign)
			continue
		}
		if err := save(t, f.Create(t), vaulttest.File("a", vaulttest.Noise(10_000, 1))); err != nil {
			t.Error(err)
		}
		if len(listing(t, filepath.Join(home, strings.TrimPrefix(dir, "~/")))) < 5 {
			t.Errorf("%s holds %v", dir, listing(t, home))
		}
	}
}

// A connection that breaks in mid-upload costs a try and nothing else.
func TestVault_SFTPConnectionBreaks(t *testing.T) {
	t.Parallel()
	f, s := sftpFixture(t)
	s.cutAfter = 300_000
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	kept := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	s.cuts.Store(3)
	item := vaulttest.File("b", vaulttest.Noise(5<<20, 1))
	res := vaulttest.Save(t, v, vaulttest.Request("s", item))
	if s.cuts.Load() > 0 {
		t.Error("no connection was cut")
	}
	vaulttest.Compare(t, v, res.Point.ID, item)
	s.cuts.Store(1 << 30) // for good
	it := vaulttest.File("c", vaulttest.Noise(5<<20, 2))
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageOffline)
	s.cuts.Store(0)
	vaulttest.Compare(t, v, kept, first)
	vaulttest.Compare(t, v, res.Point.ID, item)
	if points := vaulttest.Points(t, v, app.PointFilter{}); len(points) != 2 {
		t.Errorf("points %+v", points)
	}
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 0 {
		t.Errorf("report %+v, %v", r, err)
	}
}

// meter lets a server keep only so many bytes.
type meter struct {
	sftp.FileWriter
	left *atomic.Int64
}

func (m meter) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := m.FileWriter.Filewrite(r)
	return meteredFile{w, m.left}, err
}

func (m meter) PosixRename(r *sftp.Request) error {
	return m.FileWriter.(sftp.PosixRenameFileCmder).PosixRename(r)
}

type meteredFile struct {
	io.WriterAt
	left *atomic.Int64
}

func (m meteredFile) WriteAt(b []byte, off int64) (int, error) {
	if m.left.Add(-int64(len(b))) < 0 {
		return 0, sftp.ErrSSHFxFailure // all that OpenSSH says of a quota
	}
	return m.WriterAt.WriteAt(b, off)
}

func TestVault_SFTPQuota(t *testing.T) {
	t.Parallel()
	s := serveSFTP(t)
	memory := sftp.InMemHandler()
	left := &atomic.Int64{}
	left.Store(1 << 20)
	memory.FilePut = meter{memory.FilePut, left}
	s.serve = func(c io.ReadWriteCloser) error {
		srv := sftp.NewRequestServer(c, memory)
		return errors.Join(srv.Serve(), srv.Close())
	}
	f := &vaulttest.Fixture{Provider: provider(t), Spec: s.spec("/vault"), StateDir: t.TempDir()}
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	kept := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	it := vaulttest.File("b", vaulttest.Noise(5<<20, 1))
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageFull)
	vaulttest.Compare(t, v, kept, first)
	left.Store(100 << 20)
	if err := save(t, v, it); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// forgetful says that it keeps everything and keeps the beginning.
type forgetful struct{ sftp.FileWriter }

func (m forgetful) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := m.FileWriter.Filewrite(r)
	return forgetfulFile{w}, err
}

func (m forgetful) PosixRename(r *sftp.Request) error {
	return m.FileWriter.(sftp.PosixRenameFileCmder).PosixRename(r)
}

type forgetfulFile struct{ io.WriterAt }

func (m forgetfulFile) WriteAt(b []byte, off int64) (int, error) {
	if off > 100_000 {
		return len(b), nil
	}
	return m.WriterAt.WriteAt(b, off)
}

func TestVault_SFTPServerLosesBytes(t *testing.T) {
	t.Parallel()
	s := serveSFTP(t)
	memory := sftp.InMemHandler()
	memory.FilePut = forgetful{memory.FilePut}
	s.serve = func(c io.ReadWriteCloser) error {
		srv := sftp.NewRequestServer(c, memory)
		return errors.Join(srv.Serve(), srv.Close())
	}
	f := &vaulttest.Fixture{Provider: provider(t), Spec: s.spec("/vault"), StateDir: t.TempDir()}
	it := vaulttest.File("b", vaulttest.Noise(1<<20, 1))
	it.Optional = true
	wantCode(t, save(t, f.Create(t), it), app.CodeReadBack)
}

// A blob that is gone must not be taken for a folder that is away: that would
// be waited for, and never told.
func TestLocation_MissingBlobIsDamage(t *testing.T) {
	t.Parallel()
	overSFTP, _ := sftpFixture(t)
	overDAV, _ := davFixture(t)
	for _, spec := range []app.StorageSpec{overSFTP.Spec, overDAV.Spec, folderSpec(t)} {
		loc, err := storage.Open(t.Context(), spec, true)
		if err != nil {
			t.Fatal(err)
		}
		_, err = storage.ReadBlob(t.Context(), loc.Base, "p0123456789abcdef0123456789abcdef")
		if !storage.IsDamage(err) {
			t.Errorf("%s: %v is no damage", spec.Kind, err)
		}
		wantCode(t, storage.Translate("read", err), app.CodeVaultDamaged)
		if err := loc.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A disk that was pulled out of the server leaves its mount point, and nothing
// may grow there.
func TestVault_SFTPFolderVanishes(t *testing.T) {
	t.Parallel()
	f, _ := sftpFixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	dir := f.Spec.Settings["path"]
	it := vaulttest.File("a", vaulttest.Noise(5<<20, 1))
	open := it.Open
	it.Optional = true
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		if err := errors.Join(os.Rename(dir, dir+".away"), os.Mkdir(dir, 0o700)); err != nil {
			return nil, err
		}
		return open(ctx)
	}
	wantCode(t, save(t, v, it), app.CodeVaultMissing)
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("the mount point grew %v", got)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(dir+".away", dir)); err != nil {
		t.Fatal(err)
	}
	if err := save(t, v, vaulttest.File("a", []byte("22"))); err != nil {
		t.Errorf("after the folder came back: %v", err)
	}
}

// harms are what can befall a file.
func harms() map[string]func(file string) error {
	return map[string]func(string) error{
		"cut short": func(file string) error { return os.Truncate(file, 20_000) },
		"empty":     func(file string) error { return os.Truncate(file, 0) },
		"gone":      os.Remove,
	}
}

func TestVault_SFTPDamageIsFound(t *testing.T) {
	t.Parallel()
	for name, harm := range harms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := sftpFixture(t)
			v := f.Create(t)
			id := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", vaulttest.Noise(50_000, 1)))).Point.ID
			for _, file := range listing(t, f.Spec.Settings["path"]) {
				if strings.Contains(filepath.Dir(file), string(filepath.Separator)+"p") {
					if err := harm(file); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
			if err != nil || len(r.Damaged) != 1 || !slices.Equal(r.DamagedPoints, []app.PointID{id}) {
				t.Errorf("report %+v, %v", r, err)
			}
		})
	}
}

func TestVault_SFTPSweepsWhatWasCutOff(t *testing.T) {
	t.Parallel()
	f, _ := sftpFixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(f.Spec.Settings["path"], "p.f.tmp.0123456789abcdef")
	young := filepath.Join(f.Spec.Settings["path"], "q.f.tmp.0123456789abcdef")
	for _, name := range []string{stray, young} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(stray, then, then); err != nil {
		t.Fatal(err)
	}
	if err := v.Maintain(t.Context(), app.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Error("an old stray file stayed")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a young file was taken for a stray")
	}
}

// What lies on the server is what stock Kopia itself would have put there.
func TestVault_SFTPReadableByStockKopia(t *testing.T) {
	t.Parallel()
	f, s := sftpFixture(t)
	vaulttest.Save(t, f.Create(t), vaulttest.Request("s", vaulttest.File("a", vaulttest.Noise(50_000, 1))))
	port, err := strconv.Atoi(f.Spec.Settings["port"])
	if err != nil {
		t.Fatal(err)
	}
	st, err := kopiasftp.New(t.Context(), &kopiasftp.Options{
		Host: f.Spec.Settings["host"], Port: port, Username: "shop", Password: sftpPassword, Path: f.Spec.Settings["path"],
		KnownHostsData: knownhosts.Line([]string{s.listener.Addr().String()}, s.hostKey.PublicKey()),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := strangerCounts(t, st); n != 1 {
		t.Errorf("%d snapshots", n)
	}
}

// lap takes a vault through a day: made, filled, checked, cared for, opened
// again, read.
func lap(t *testing.T, spec app.StorageSpec) {
	t.Helper()
	f := &vaulttest.Fixture{Provider: provider(t), Spec: spec, StateDir: t.TempDir()}
	v := f.Create(t)
	items := []app.Item{vaulttest.File("a", vaulttest.Noise(100_000, 1)), vaulttest.Paged("db", vaulttest.Noise(1<<20, 2))}
	vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", []byte("1"))))
	id := vaulttest.Save(t, v, vaulttest.Request("s", items...)).Point.ID
	if err := v.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
		t.Errorf("maintain: %v", err)
	}
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 0 || r.Points != 1 {
		t.Errorf("verify: %+v, %v", r, err)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	f.StateDir = t.TempDir() // a new computer
	vaulttest.Compare(t, f.Open(t), id, items...)
}

// strangerCounts opens the repository in a storage as any Kopia client would
// and counts its snapshots.
func strangerCounts(t *testing.T, st blob.Storage) int {
	t.Helper()
	config := filepath.Join(t.TempDir(), "stranger.config")
	if err := repo.Connect(t.Context(), config, st, vaulttest.Passphrase, &repo.ConnectOptions{
		ClientOptions: repo.ClientOptions{Hostname: "elsewhere", Username: "stranger"},
	}); err != nil {
		t.Fatal(err)
	}
	rep, err := repo.Open(t.Context(), config, vaulttest.Passphrase, &repo.Options{OnFatalError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	mans, err := snapshot.ListSnapshotManifests(t.Context(), rep, nil, nil)
	if err = errors.Join(err, rep.Close(t.Context()), st.Close(t.Context())); err != nil {
		t.Fatal(fmt.Errorf("list snapshots: %w", err))
	}
	return len(mans)
}
