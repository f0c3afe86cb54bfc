package io.loam.heap.structure;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Goes through lists of entries, each read when the one before is used up; removes through the map. */
final class EntryIterator<K, V> implements Iterator<Map.Entry<K, V>> {

    private final Map<K, V> map;
    private final Iterator<List<Map.Entry<K, V>>> groups;
    private Iterator<Map.Entry<K, V>> entries = Collections.emptyIterator();
    private Map.@Nullable Entry<K, V> last;

    EntryIterator(Map<K, V> map, Iterator<List<Map.Entry<K, V>>> groups) {
        this.map = map;
        this.groups = groups;
    }

    @Override
    public boolean hasNext() {
        while (!entries.hasNext() && groups.hasNext()) {
            entries = groups.next().iterator();
        }
        return entries.hasNext();
    }

    @Override
    public Map.Entry<K, V> next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Map.Entry<K, V> entry = entries.next();
        last = entry;
        return entry;
    }

    @Override
    public void remove() {
        Map.Entry<K, V> entry = last;
        if (entry == null) {
            throw new IllegalStateException("remove() needs a next() before it");
        }
        last = null;
        map.remove(entry.getKey());
    }
}
