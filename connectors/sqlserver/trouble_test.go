package sqlserver

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/sqlserver/tdstest"
)

// message is an error of the server's, with what it always says after it.
func message(number int32, text string) []tdstest.Message {
	return []tdstest.Message{{Number: number, Class: 16, Text: text}, {Number: 3013, Class: 16, Text: "BACKUP DATABASE is terminating abnormally."}}
}

// refuseAt answers statements that begin so with errors.
func refuseAt(prefix string, m []tdstest.Message) func(w *world) {
	return func(w *world) {
		w.refuse = func(sql string) []tdstest.Message {
			if strings.HasPrefix(sql, prefix) {
				return m
			}
			return nil
		}
	}
}

// TestConnector_Capture_trouble takes what a server can say, in its own words,
// to what the owner reads.
func TestConnector_Capture_trouble(t *testing.T) {
	t.Parallel()
	device := `Cannot open backup device 'S:\Exchange\x.bak'. Operating system error `
	for name, tt := range map[string]struct {
		make func(w *world)
		code app.Code
		arg  string // "key=part of value"
	}{
		"wrong password":         {func(w *world) { w.logins["kvart"].password += "!" }, app.CodeSourceDenied, "user=kvart"},
		"a database taken away":  {func(w *world) { delete(w.dbs, "shop") }, app.CodeSourceGone, "path=shop"},
		"a database gone after":  {func(w *world) { w.meddle = vanish(w) }, app.CodeSourceGone, "path=shop"},
		"offline":                {func(w *world) { w.db("shop").State = "OFFLINE" }, app.CodeSourceOffline, "where=shop"},
		"suspect":                {func(w *world) { w.db("shop").State = "SUSPECT" }, app.CodeSourceDamaged, "path=shop"},
		"being restored":         {func(w *world) { w.db("shop").State = "RESTORING" }, app.CodeSourceBusy, "where=127.0.0.1"},
		"no right to back up":    {func(w *world) { w.logins["kvart"].rights = backupRights()[1:] }, app.CodeSourceRight, "statement=ALTER ROLE [db_backupoperator] ADD MEMBER [kvart]"},
		"no right to look at it": {func(w *world) { w.logins["kvart"].rights = append(backupRights()[:2:2], "VIEW ANY DATABASE") }, app.CodeSourceRight, "right=CREATE ANY DATABASE"},
		"an old server":          {func(w *world) { w.version = "12.0.6024.0" }, app.CodeProgramOld, "version=12.0.6024.0"},
		"a server in the cloud":  {func(w *world) { w.engine, w.edition = 5, "SQL Azure" }, app.CodeUsage, "field=host"},
		"the server's account": {
			refuseAt("BACKUP", message(errNoDevice, device+"5(Access is denied.).")), app.CodeSourceRight, `statement=icacls "S:\Exchange" /grant "NT Service\MSSQL$SQLEXPRESS:(OI)(CI)M"`,
		},
		"the server's account, its name": {refuseAt("BACKUP", message(errNoDevice, device+"5(Access is denied.).")), app.CodeSourceRight, `user=NT Service\MSSQL$SQLEXPRESS`},
		"the server's disk":              {refuseAt("BACKUP", message(errWriteDevice, `Write on "S:\Exchange\x.bak" failed: 112(There is not enough space on the disk.)`)), app.CodeTempFull, `path=S:\Exchange`},
		"the server's network":           {refuseAt("BACKUP", message(errNoDevice, device+"53(The network path was not found.).")), app.CodeSourceShareGone, `path=S:\Exchange`},
		"another backup": {
			refuseAt("BACKUP", message(3023, "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a database must be serialized.")), app.CodeSourceBusy, "path=shop",
		},
		"a torn page":            {refuseAt("BACKUP", message(errDamagedPage, "BACKUP 'shop' detected an error on page (1:9) in file 'shop.mdf'.")), app.CodeSourceDamaged, "path=shop"},
		"shutting down":          {refuseAt("BACKUP", []tdstest.Message{{Number: 6005, Class: 10, Text: "SHUTDOWN is in progress."}, {Number: 6005, Class: 16, Text: "SHUTDOWN is in progress."}}), app.CodeSourceOffline, "where=127.0.0.1"},
		"no room in the folder":  {func(w *world) { w.db("shop").Files[0].Size = 1 << 60 }, app.CodeTempFull, "need=5"},
		"a backup nobody sees":   {func(w *world) { w.answers = hideBackup(w) }, app.CodeUsage, "field=server_folder"},
		"a backup cut off":       {func(w *world) { w.meddle = cutBackup(w) }, app.CodeReadBack, "path=shop"},
		"a backup of another":    {answer("RESTORE HEADERONLY", "DatabaseName", "other"), app.CodeReadBack, "path="},
		"a backup unchecked":     {answer("RESTORE HEADERONLY", "HasBackupChecksums", false), app.CodeReadBack, ""},
		"a backup with a hole":   {answer("RESTORE FILELISTONLY", "IsPresent", false), app.CodeReadBack, ""},
		"a server that goes":     {func(w *world) { w.killAt = 12 }, app.CodeSourceOffline, "where=127.0.0.1"},
		"an answer cut off":      {func(w *world) { w.answers = cutAnswer("SELECT s.name") }, app.CodeSourceOffline, "where=127.0.0.1"},
		"a header cut off":       {func(w *world) { w.answers = cutAnswer("RESTORE HEADERONLY") }, app.CodeSourceOffline, "where=127.0.0.1"},
		"a damaged disk":         {refuseAt("SELECT s.name", message(824, "SQL Server detected a logical consistency-based I/O error: incorrect checksum.")), app.CodeSourceDamaged, "path=shop"},
		"a number nobody knows":  {refuseAt("BACKUP", message(99999, "Something new.")), app.CodeSourceUnreadable, "path=shop"},
		"no memory":              {refuseAt("BACKUP", message(701, "There is insufficient system memory in resource pool 'default' to run this query.")), app.CodeSourceBusy, "path=shop"},
		"a file without its key": {refuseAt("BACKUP", message(33111, "Cannot find server certificate with thumbprint '0x00'.")), app.CodeSourceEncrypted, "path=shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.access("kvart")
			w.with(func() { tt.make(w) })
			capture, err := newConnector().Capture(t.Context(), a, "")
			if err == nil {
				t.Fatalf("captured: %v", capture.Close())
			}
			e := app.AsError(err)
			key, part, _ := strings.Cut(tt.arg, "=")
			if e.Code != tt.code || !strings.Contains(e.Args[key], part) {
				t.Errorf("%s %v: %v", e.Code, e.Args, err)
			}
			if password := a.Secrets[fieldPassword].Reveal(); strings.Contains(fmt.Sprintf("%v %+v %v", err, e, e.Args), password) {
				t.Errorf("the password is in %v", err)
			}
			if left := w.staged(); len(left) > 0 && !w.dead {
				t.Errorf("left in the folder: %v", left)
			}
		})
	}
}

// vanish drops the database a moment before it is backed up.
func vanish(w *world) func(string) {
	return func(sql string) {
		if strings.HasPrefix(sql, "BACKUP") {
			delete(w.dbs, "shop")
		}
	}
}

func cutBackup(w *world) func(string) { return cutBackupAt(w, "RESTORE VERIFYONLY") }

// cutBackupAt shortens what lies in the folder before a statement.
func cutBackupAt(w *world, prefix string) func(string) {
	return func(sql string) {
		if !strings.HasPrefix(sql, prefix) {
			return
		}
		for _, name := range w.staged() {
			if err := os.Truncate(filepath.Join(w.folder, name), 5000); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// hideBackup takes the backup away as soon as it is written, as a share does
// that is another one than it seems.
func hideBackup(w *world) func(string, *tdstest.Answer) {
	return func(sql string, _ *tdstest.Answer) {
		if !strings.HasPrefix(sql, "BACKUP") {
			return
		}
		for _, name := range w.staged() {
			if err := os.Remove(filepath.Join(w.folder, name)); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// answer changes one column of an answer.
func answer(prefix, column string, v any) func(w *world) {
	return func(w *world) {
		w.answers = func(sql string, a *tdstest.Answer) {
			if !strings.HasPrefix(sql, prefix) {
				return
			}
			for i, name := range a.Columns {
				if name == column {
					a.Rows[0][i] = v
				}
			}
		}
	}
}

func cutAnswer(prefix string) func(string, *tdstest.Answer) {
	return func(sql string, a *tdstest.Answer) { a.CutOff = strings.HasPrefix(sql, prefix) }
}

// TestConnector_Capture_folders: the folder is the one thing of a backup that
// two computers have to agree on.
func TestConnector_Capture_folders(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		folder func(dir string) string
		server string
		code   app.Code
	}{
		"not there":                      {func(dir string) string { return filepath.Join(dir, "gone") }, serverSide, app.CodeSourceShareGone},
		"not there for the server":       {func(dir string) string { return dir }, `T:\Elsewhere`, app.CodeSourceShareGone},
		"another one for the server":     {func(string) string { return t.TempDir() }, serverSide, app.CodeSourceShareGone},
		"the same path, and no such one": {func(dir string) string { return dir }, "", app.CodeSourceShareGone},
	} {
		w := newWorld(t)
		a := w.access("kvart")
		a.Source.Settings[fieldFolder], a.Source.Settings[fieldServerFolder] = tt.folder(w.folder), tt.server
		_, err := newConnector().Capture(t.Context(), a, "")
		_, checkErr := newConnector().Check(t.Context(), a)
		if app.CodeOf(err) != tt.code || app.CodeOf(checkErr) != tt.code {
			t.Errorf("%s: %v; %v", name, err, checkErr)
		}
		if sent := w.sent("BACKUP"); len(sent) > 0 {
			t.Errorf("%s: a backup was made where nobody takes it away: %v", name, sent)
		}
	}
}

// TestConnector_Apply_shown: a server that may not read the group's files is
// shown the backup all the same, for as long as it restores.
func TestConnector_Apply_shown(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("folders decide on Windows")
	}
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	want := w.content("shop")
	w.sell()
	w.with(func() { w.strict = true })
	w.apply(newConnector(), w.restore("keeper", point))
	if got := w.content("shop"); got != want || len(w.staged()) > 0 {
		t.Errorf("got %s, want %s; %v", got, want, w.staged())
	}
}

func TestConnector_canceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	sold := w.content("shop")
	for _, at := range []string{"BACKUP", "RESTORE DATABASE", "DBCC"} {
		ctx, cancel := context.WithCancel(t.Context())
		w.with(func() {
			w.waiting = func(sql string, stop <-chan struct{}) {
				if strings.HasPrefix(sql, at) {
					cancel()
					<-stop
				}
			}
		})
		var err error
		if at == "BACKUP" {
			_, err = newConnector().Capture(ctx, w.access("kvart"), "")
		} else {
			err = newConnector().Apply(ctx, w.restore("keeper", point), connectortest.Silent{})
		}
		cancel()
		if app.CodeOf(err) != app.CodeCanceled {
			t.Errorf("%s: %v", at, err)
		}
		w.with(func() { w.waiting = nil })
		if w.content("shop") != sold || w.names() != "shop" || len(w.staged()) > 0 {
			t.Errorf("%s: left %s, %v", at, w.names(), w.staged())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	capture, err := newConnector().Capture(ctx, w.access("kvart"), "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for item, err := range capture.Items {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := item.Open(ctx); app.CodeOf(err) != app.CodeCanceled {
			t.Errorf("open %s: %v", item.Path, err)
		}
	}
	if err := capture.Close(); err != nil {
		t.Error(err)
	}
}

// TestConnector_Capture_reads: a file may be left in the middle, and closed
// twice.
func TestConnector_Capture_reads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	capture, err := newConnector().Capture(t.Context(), w.access("kvart"), "")
	if err != nil {
		t.Fatal(err)
	}
	for item := range capture.Items {
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := capture.Close(); err != nil {
		t.Error(err)
	}
	if n := connectortest.OpenBelow(t, w.folder); n != 0 || len(w.staged()) > 0 {
		t.Errorf("%d files open, %v left", n, w.staged())
	}
}

func TestConnector_Capture_offline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.access("kvart")
	w.server.Down(true)
	start := time.Now()
	if _, err := newConnector().Capture(t.Context(), a, ""); app.CodeOf(err) != app.CodeSourceOffline || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	b := w.access("kvart")
	b.Source.Settings = maps.Clone(a.Source.Settings)
	b.Source.Settings[fieldPort] = "1"
	if _, err := newConnector().Check(t.Context(), b); app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("no server: %v", err)
	}
}
