package webhotel

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// factTime is how MLSD and MDTM write times; fractions may follow.
const factTime = "20060102150405"

// zoneSlack is how far a time may be off whose zone nobody knows.
const zoneSlack = 26 * time.Hour

// listing is what a server said of one folder.
type listing struct {
	list     []entry
	self     bool // the folder named itself, as it does when it could be read
	linkless bool // there are links whose targets the answer doesn't tell
}

// readListing reads the answer to MLSD or LIST. A line nobody understands
// becomes an entry that can't be read: it is told, not dropped.
func readListing(raw []byte, exact bool, now time.Time) listing {
	var l listing
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || !exact && isTotal(line) {
			continue
		}
		e, ok := readLine(line, exact, now)
		switch {
		case ok && (e.path == "." || e.path == ".."):
			l.self = l.self || e.path == "."
			continue
		case ok && isName(e.path):
			e.path, e.link = fromServer(e.path), fromServer(e.link)
		default:
			name := strings.ReplaceAll(readable(fromServer(line)), "/", "_")
			e = entry{path: name, err: app.Errorf(app.CodeItemUnreadable, "webhotel: list", "can't read the line %q", line).With("path", name)}
		}
		if e.mode&fs.ModeSymlink != 0 && e.link == "" {
			l.linkless = true
			e.err = app.Errorf(app.CodeItemUnreadable, "webhotel: list", "the server doesn't tell where %q leads", e.path).With("path", e.path)
		}
		l.list = append(l.list, e)
	}
	return l
}

func readLine(line string, exact bool, now time.Time) (e entry, ok bool) {
	if exact {
		return readFacts(line)
	}
	if e, ok = readUnix(line, now); !ok {
		e, ok = readDOS(line)
	}
	return e, ok
}

// adopt takes over where links lead.
func (l *listing) adopt(more listing) {
	for i := range l.list {
		e := &l.list[i]
		at := slices.IndexFunc(more.list, func(o entry) bool { return o.path == e.path && o.link != "" })
		if at >= 0 && e.mode&fs.ModeSymlink != 0 {
			e.link, e.err = more.list[at].link, nil
		}
	}
}

// isTotal knows the line that some servers begin with, "total 12".
func isTotal(line string) bool {
	n, ok := strings.CutPrefix(strings.ToLower(line), "total ")
	_, err := strconv.Atoi(strings.TrimSpace(n))
	return ok && err == nil
}

// readFacts reads a line of MLSD: "type=file;size=12;modify=…; name".
func readFacts(line string) (e entry, ok bool) {
	facts, name, found := strings.Cut(line, "; ")
	if !found {
		return e, false
	}
	e = entry{path: name, mode: 0o644, slack: clockSlack}
	mode, typed := fs.FileMode(0), false
	for fact := range strings.SplitSeq(facts, ";") {
		key, value, _ := strings.Cut(fact, "=")
		var err error
		switch strings.ToLower(key) {
		case "type":
			typed = e.readType(value)
		case "size":
			e.size, err = strconv.ParseInt(value, 10, 64)
		case "modify":
			if e.mtime, err = time.Parse(factTime, value); err == nil {
				e.grain = time.Second
			}
		case "unix.mode":
			var n uint64
			n, err = strconv.ParseUint(value, 8, 32)
			mode = fs.FileMode(n) & fs.ModePerm
		case "unique":
			e.id = value
		}
		if err != nil {
			return e, false
		}
	}
	if e.mode.IsDir() && mode == 0 {
		mode = 0o755
	}
	if mode != 0 {
		e.mode = e.mode.Type() | mode
	}
	if !e.mode.IsRegular() {
		e.size = 0
	}
	return e, typed
}

func (e *entry) readType(value string) bool {
	kind, about, _ := strings.Cut(value, ":")
	switch strings.ToLower(kind) {
	case "file":
	case "dir":
		e.mode |= fs.ModeDir
	case "cdir":
		e.mode, e.path = fs.ModeDir, "."
	case "pdir":
		e.mode, e.path = fs.ModeDir, ".."
	case "os.unix=slink", "os.unix=symlink":
		e.mode = fs.ModeSymlink | 0o777
		e.link = about
	default: // a device, a socket
		e.mode = fs.ModeIrregular
	}
	return true
}

var (
	unixLine = regexp.MustCompile(`^([-dlbcps])([-rwxsStTlL]{9})[.+@]?\s+(?:\d+\s+)?(?:\S+\s+){1,2}?(\d+,\s*\d+|\d+)\s+([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}:\d{2}|\d{4}) (.*)$`)
	dosLine  = regexp.MustCompile(`^(\d{2,4}-\d{2}-\d{2,4})\s+(\d{1,2}:\d{2}(?:[AP]M)?)\s+(<DIR>|<JUNCTION>|<SYMLINKD?>|\d+)\s+(.*)$`)
)

// readUnix reads a line as "ls -l" writes it.
func readUnix(line string, now time.Time) (e entry, ok bool) {
	m := unixLine.FindStringSubmatch(line)
	if m == nil {
		return e, false
	}
	e = entry{path: m[7], mode: unixMode(m[2]), slack: zoneSlack}
	switch m[1] {
	case "-":
		if e.size, ok = wholeNumber(m[3]); !ok {
			return e, false
		}
	case "d":
		e.mode |= fs.ModeDir
	case "l":
		e.mode |= fs.ModeSymlink
		e.path, e.link, _ = strings.Cut(m[7], " -> ")
	default:
		e.mode = fs.ModeIrregular
	}
	e.mtime, e.grain, ok = unixTime(m[4], m[5], m[6], now)
	return e, ok
}

func wholeNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func unixMode(s string) (mode fs.FileMode) {
	for i, c := range s {
		if strings.ContainsRune("rwxst", c) {
			mode |= 1 << (8 - i)
		}
	}
	return mode
}

// unixTime reads "Mar  9 10:11", of the last half year or so, or "Mar  9 2024".
func unixTime(month, day, rest string, now time.Time) (t time.Time, grain time.Duration, ok bool) {
	month = strings.ToUpper(month[:1]) + strings.ToLower(month[1:])
	if !strings.Contains(rest, ":") {
		t, err := time.Parse("Jan 2 2006", month+" "+day+" "+rest)
		return t, 24 * time.Hour, err == nil
	}
	for _, year := range []int{now.Year() + 1, now.Year(), now.Year() - 1} {
		t, err := time.Parse("Jan 2 2006 15:04", month+" "+day+" "+strconv.Itoa(year)+" "+rest)
		if err == nil && t.Before(now.Add(zoneSlack)) {
			return t, time.Minute, true
		}
	}
	return t, 0, false
}

// readDOS reads a line as servers on Windows write it.
func readDOS(line string) (e entry, ok bool) {
	m := dosLine.FindStringSubmatch(line)
	if m == nil {
		return e, false
	}
	e = entry{path: m[4], mode: 0o644, slack: zoneSlack, grain: time.Minute}
	switch {
	case m[3] == "<DIR>":
		e.mode = fs.ModeDir | 0o755
	case strings.HasPrefix(m[3], "<"):
		e.mode = fs.ModeSymlink | 0o777
	default:
		if e.size, ok = wholeNumber(m[3]); !ok {
			return e, false
		}
	}
	for _, layout := range []string{"01-02-06 03:04PM", "01-02-2006 03:04PM", "2006-01-02 15:04", "01-02-06 15:04", "01-02-2006 15:04"} {
		if t, err := time.Parse(layout, m[1]+" "+m[2]); err == nil {
			e.mtime = t
			return e, true
		}
	}
	return e, false
}
