package rest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	perGroup  = 50
	perFolder = 40 // groups

	manifestFile = "kvart-shop.json"
	mediaDir     = "media"
	mediaRefs    = "media/refs"
)

// inOrder sorts kinds as a restore goes through them.
func inOrder(kinds []Kind) []Kind {
	sorted := slices.Clone(kinds)
	slices.SortStableFunc(sorted, func(a, b Kind) int { return a.Order - b.Order })
	return sorted
}

// place is where a record lies in a point. It depends on nothing but its kind
// and its id, so that two points, and two computers, put it in one place.
func (k Kind) place(id string) string {
	name := escape(strings.TrimPrefix(id, k.Prefix)) + ".json"
	switch k.Layout {
	case Flat:
		return path.Join(k.Name, name)
	case Dense:
		if n, err := strconv.ParseUint(id, 10, 63); err == nil {
			return path.Join(k.Name, strconv.FormatUint(n/(perGroup*perFolder), 10), strconv.FormatUint(n/perGroup, 10), name)
		}
	case Sparse:
	}
	// 64 folders of 32 groups hold 100,000 records in groups of 50.
	sum := sha256.Sum256([]byte(id))
	return path.Join(k.Name, fmt.Sprintf("%02x", sum[0]%64), fmt.Sprintf("%02x", sum[1]%32), name)
}

// idAt is the id of the record at a path of a point, "" for none.
func (k Kind) idAt(at string) string {
	name, ok := strings.CutSuffix(path.Base(at), ".json")
	if !ok {
		return ""
	}
	return k.Prefix + unescape(name)
}

// escape writes an id as a name that every file system takes.
func escape(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func unescape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '%' && i+2 < len(name) {
			if c, err := strconv.ParseUint(name[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// stampOf is the time of a record's file. The vault reads a file again when
// size or time differ, so the time is made from the content: the second is the
// record's own where it has one, the rest is the hash. No memory of what was
// stored is needed, and another computer comes to the same.
func stampOf(modified time.Time, hash [sha256.Size]byte) time.Time {
	n := binary.BigEndian.Uint64(hash[:])
	nanos := int64(n % 1e9)
	if modified.IsZero() || modified.Year() < 1980 || modified.Year() > 2200 {
		modified = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n>>32%86400) * time.Second)
	}
	return time.Unix(modified.Unix(), nanos).UTC()
}
