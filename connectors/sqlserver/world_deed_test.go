package sqlserver

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kvart/connectors/sqlserver/tdstest"
)

// deeds are the statements that change something, or read a backup.
func deeds() []known {
	return []known{
		{regexp.MustCompile(`^BACKUP DATABASE ` + namePattern + ` TO DISK = ` + textPattern + ` WITH COPY_ONLY, CHECKSUM, FORMAT, INIT(, NO_COMPRESSION)?(, CONTINUE_AFTER_ERROR)?, NAME = N'Kvart'$`), (*world).runBackup},
		{shape(`RESTORE LABELONLY FROM DISK = ¤`), (*world).runLabel},
		{regexp.MustCompile(`^RESTORE VERIFYONLY FROM DISK = ` + textPattern + ` WITH CHECKSUM(, CONTINUE_AFTER_ERROR)?$`), (*world).runVerify},
		{shape(`RESTORE HEADERONLY FROM DISK = ¤`), (*world).runHeader},
		{shape(`RESTORE FILELISTONLY FROM DISK = ¤`), (*world).runFileList},
		{regexp.MustCompile(`^RESTORE DATABASE ` + namePattern + ` FROM DISK = ` + textPattern + ` WITH FILE = 1((?:, MOVE N'(?:[^']|'')*' TO N'(?:[^']|'')*')+), CHECKSUM, RECOVERY(, CONTINUE_AFTER_ERROR)?$`), (*world).runRestore},
		{shape(`DBCC CHECKDB (¤) WITH NO_INFOMSGS, PHYSICAL_ONLY`), (*world).runCheck},
		{shape(`ALTER AUTHORIZATION ON DATABASE::§ TO §`), (*world).runGive},
		{shape(`ALTER DATABASE § MODIFY NAME = §`), func(w *world, c call) tdstest.Answer { return w.rename(c, c.m[1], c.m[2]) }},
		{shape(`ALTER DATABASE § SET MULTI_USER WITH ROLLBACK IMMEDIATE`), func(w *world, c call) tdstest.Answer { return w.setAccess(c, c.m[1], "MULTI_USER") }},
		{shape(`DROP DATABASE §`), func(w *world, c call) tdstest.Answer { return w.dropDB(c, c.m[1]) }},
		{shape(`ALTER DATABASE § SET SINGLE_USER WITH ROLLBACK IMMEDIATE; IF @@ERROR = 0 DROP DATABASE §`), (*world).runDrop},
		{shape("ALTER DATABASE § SET SINGLE_USER WITH ROLLBACK IMMEDIATE;\nIF @@ERROR = 0\nBEGIN\n ALTER DATABASE § MODIFY NAME = §;\n IF @@ERROR = 0\n BEGIN\n" +
			"  ALTER DATABASE § MODIFY NAME = §;\n  IF @@ERROR <> 0 ALTER DATABASE § MODIFY NAME = §;\n END\nEND"), (*world).runExchange},
		{regexp.MustCompile(`^KILL (\d+)$`), (*world).runKill},
		{regexp.MustCompile(`(?s)^SET XACT_ABORT ON; BEGIN TRANSACTION;\n(.*)\nCOMMIT TRANSACTION;$`), (*world).runMakeUser},
	}
}

// bakMagic begins a backup file of the peer's, as "TAPE" begins a real one.
const bakMagic = "TAPE"

// bak is a backup as the peer writes it: what it knows, some pages, a checksum.
type bak struct {
	Version string
	DB      fakeDB
	Damaged bool
}

func (b bak) bytes() []byte {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	out := binary.LittleEndian.AppendUint32([]byte(bakMagic), uint32(len(text)))
	out = append(out, text...)
	for i := range 64 { // pages
		out = append(out, []byte(strings.Repeat(fmt.Sprintf("%s page %d ", b.DB.Name, i), 100))...)
	}
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// fromDisk opens a backup file as the server does.
func (w *world) fromDisk(c call, path string) (b bak, _ *tdstest.Answer) {
	path = unquote(path)
	no := func(number int32, format string, args ...any) (bak, *tdstest.Answer) {
		a := fail(number, format, args...)
		a.Messages = append(a.Messages, tdstest.Message{Number: 3013, Class: 16, Text: "RESTORE DATABASE is terminating abnormally."})
		return b, &a
	}
	if !c.may("CREATE ANY DATABASE") {
		return no(errDenied, "CREATE DATABASE permission denied in database 'master'.")
	}
	file, ok := w.local(path)
	if !ok {
		return no(errNoDevice, "Cannot open backup device '%s'. Operating system error 3(The system cannot find the path specified.).", path)
	}
	fi, err := os.Stat(file)
	if err != nil {
		return no(errNoDevice, "Cannot open backup device '%s'. Operating system error 2(The system cannot find the file specified.).", path)
	}
	if w.strict && fi.Mode()&0o004 == 0 {
		return no(errNoDevice, "Cannot open backup device '%s'. Operating system error 5(Access is denied.).", path)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Error(err)
	}
	if len(data) < 12 || string(data[:4]) != bakMagic {
		return no(3241, "The media family on device '%s' is incorrectly formed. SQL Server cannot process this media family.", path)
	}
	end := len(data) - 4
	if crc32.ChecksumIEEE(data[:end]) != binary.LittleEndian.Uint32(data[end:]) {
		return no(errReadDevice, "Read on \"%s\" failed: 38(Reached the end of the file.)", path)
	}
	if err := json.Unmarshal(data[8:8+binary.LittleEndian.Uint32(data[4:])], &b); err != nil {
		w.t.Error(err)
	}
	return b, nil
}

func (w *world) runBackup(c call) tdstest.Answer {
	name, path := unquote(c.m[1]), unquote(c.m[2])
	d := w.db(name)
	no := func(number int32, format string, args ...any) tdstest.Answer {
		a := fail(number, format, args...)
		a.Messages = append(a.Messages, tdstest.Message{Number: 3013, Class: 16, Text: "BACKUP DATABASE is terminating abnormally."})
		return a
	}
	if express := w.engine == engineExpress; express == (c.m[3] != "") {
		w.t.Errorf("compression on %s: %q", w.edition, c.m[3])
	}
	file, ok := w.local(path)
	switch {
	case d == nil:
		return no(errNoDatabase, "Database '%s' does not exist. Make sure that the name is entered correctly.", name)
	case d.Owner != c.user && !c.may("BACKUP DATABASE"):
		return no(errDenied, "BACKUP DATABASE permission denied in database '%s'.", name)
	case !ok:
		return no(errNoDevice, "Cannot open backup device '%s'. Operating system error 3(The system cannot find the path specified.).", path)
	}
	whole := bak{w.version, *d, d.Damaged}.bytes()
	if err := os.WriteFile(file, whole[:len(whole)/2], 0o644); err != nil {
		w.t.Error(err)
	}
	d.LSN++ // a checkpoint
	if w.step() {
		return tdstest.Answer{Hangup: true}
	}
	if d.Damaged && c.m[4] == "" {
		if err := os.Remove(file); err != nil {
			w.t.Error(err)
		}
		return no(errDamagedPage, "BACKUP '%s' detected an error on page (1:234) in file '%s'.", name, d.Files[0].Path)
	}
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		w.t.Error(err)
	}
	return tdstest.Answer{Messages: []tdstest.Message{{Number: 3014, Class: 0, Text: "BACKUP DATABASE successfully processed 370 pages in 0.011 seconds."}}}
}

func (w *world) runLabel(c call) tdstest.Answer {
	if _, no := w.fromDisk(c, c.m[1]); no != nil {
		return *no
	}
	return single("MediaName", "x")
}

func (w *world) runVerify(c call) tdstest.Answer {
	if _, no := w.fromDisk(c, c.m[1]); no != nil {
		return *no
	}
	return tdstest.Answer{Messages: []tdstest.Message{{Number: 3262, Class: 0, Text: "The backup set on file 1 is valid."}}}
}

func (w *world) runHeader(c call) tdstest.Answer {
	b, no := w.fromDisk(c, c.m[1])
	if no != nil {
		return *no
	}
	v := strings.Split(b.Version, ".")
	part := func(i int) int64 { n, _ := strconv.ParseInt(v[i], 10, 64); return n }
	return tdstest.Answer{
		Columns: []string{"BackupName", "BackupType", "Position", "DatabaseName", "BackupFinishDate", "SoftwareVersionMajor", "SoftwareVersionMinor", "SoftwareVersionBuild", "LastLSN", "Collation", "HasBackupChecksums", "IsDamaged", "IsCopyOnly"},
		Rows: [][]any{{
			"Kvart", int64(1), int64(1), b.DB.Name, fmt.Sprintf("2026-02-03T04:05:%02d", b.DB.LSN%60), part(0), part(1), part(2),
			fmt.Sprintf("%025d", b.DB.LSN), "Finnish_Swedish_CI_AS", true, b.Damaged, true,
		}},
	}
}

func (w *world) runFileList(c call) tdstest.Answer {
	b, no := w.fromDisk(c, c.m[1])
	if no != nil {
		return *no
	}
	a := tdstest.Answer{Columns: []string{"LogicalName", "PhysicalName", "Type", "Size", "IsPresent", "TDEThumbprint"}}
	for _, f := range b.DB.Files {
		var print any
		if b.DB.TDE {
			print = "thumb"
		}
		a.Rows = append(a.Rows, []any{f.Name, f.Path, f.Type, fmt.Sprint(f.Size), true, print})
	}
	return a
}

var movePattern = regexp.MustCompile(`, MOVE ` + textPattern + ` TO ` + textPattern)

// mayRestore says why a backup can't become a database.
func (w *world) mayRestore(name string, b bak) *tdstest.Answer {
	no := func(number int32, format string, args ...any) *tdstest.Answer {
		a := fail(number, format, args...)
		a.Messages = append(a.Messages, tdstest.Message{Number: 3013, Class: 16, Text: "RESTORE DATABASE is terminating abnormally."})
		return &a
	}
	var size int64
	for _, f := range b.DB.Files {
		if f.Type == "D" {
			size += f.Size
		}
	}
	major := func(v string) int { n, _ := strconv.Atoi(strings.SplitN(v, ".", 2)[0]); return n }
	switch {
	case w.db(name) != nil:
		return no(3159, "The tail of the log for the database \"%s\" has not been backed up.", name)
	case major(b.Version) > major(w.version):
		return no(errNewer, "The database was backed up on a server running version %s. That version is incompatible with this server, which is running version %s.", b.Version, w.version)
	case w.engine == engineExpress && size > 10<<30:
		return no(errLicense, "CREATE DATABASE or ALTER DATABASE failed because the resulting cumulative database size would exceed your licensed limit of 10240 MB per database.")
	}
	return nil
}

func (w *world) runRestore(c call) tdstest.Answer {
	name := unquote(c.m[1])
	b, no := w.fromDisk(c, c.m[2])
	if no != nil {
		return *no
	}
	if no := w.mayRestore(name, b); no != nil {
		return *no
	}
	d := w.add(name, c.user)
	d.State, d.Tables = "RESTORING", nil
	d.Files = slices.Clone(b.DB.Files)
	for _, m := range movePattern.FindAllStringSubmatch(c.m[3], -1) {
		i := slices.IndexFunc(d.Files, func(f dataFile) bool { return f.Name == unquote(m[1]) })
		if i < 0 {
			delete(w.dbs, strings.ToLower(name))
			return fail(3234, "Logical file '%s' is not part of database '%s'.", m[1], name)
		}
		d.Files[i].Path = unquote(m[2])
	}
	for _, other := range w.dbs {
		for _, f := range other.Files {
			if other != d && slices.ContainsFunc(d.Files, func(g dataFile) bool { return strings.EqualFold(f.Path, g.Path) }) {
				delete(w.dbs, strings.ToLower(name))
				return fail(1834, "The file '%s' cannot be overwritten.  It is being used by database '%s'.", f.Path, other.Name)
			}
		}
	}
	if w.step() {
		return tdstest.Answer{Hangup: true}
	}
	restored := b.DB
	d.State, d.Tables, d.LSN, d.Access, d.Damaged = "ONLINE", restored.Tables, restored.LSN+10, restored.Access, restored.Damaged
	return tdstest.Answer{Messages: []tdstest.Message{{Number: 3014, Class: 0, Text: "RESTORE DATABASE successfully processed 370 pages."}}}
}

func (w *world) runCheck(c call) tdstest.Answer {
	d := w.db(unquote(c.m[1]))
	switch {
	case d == nil:
		return fail(2520, "Could not find database '%s'.", c.m[1])
	case !w.ownsInside(d, c):
		return fail(7983, "User '%s' does not have permission to run DBCC checkdb for database '%s'.", c.user, d.Name)
	case d.Damaged:
		return fail(8928, "Object ID 245575913, index ID 1: Page (1:234) could not be processed.")
	}
	return tdstest.Answer{}
}

func (w *world) runGive(c call) tdstest.Answer {
	d, to := w.db(unquote(c.m[1])), unquote(c.m[2])
	if w.logins[to] == nil || !c.may("IMPERSONATE "+to) {
		return fail(15151, "Cannot find the principal '%s', because it does not exist or you do not have permission.", to)
	}
	d.Owner = to
	return tdstest.Answer{}
}
