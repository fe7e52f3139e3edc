package org.granulardq.testing;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import android.graphics.Rect;
import java.io.IOException;
import java.io.InputStream;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.shadow.api.Shadow;

/** Cuts regions out of what the real decoder makes of the picture: Robolectric's own are blank. */
@Implements(BitmapRegionDecoder.class)
public class CutRegions {
    private Bitmap whole;

    @Implementation
    protected static BitmapRegionDecoder newInstance(InputStream stream, boolean shareable)
            throws IOException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inPremultiplied = false;
        Bitmap decoded = BitmapFactory.decodeStream(stream, null, options);
        if (decoded == null) throw new IOException("no picture");
        BitmapRegionDecoder decoder = Shadow.newInstanceOf(BitmapRegionDecoder.class);
        CutRegions regions = Shadow.extract(decoder);
        regions.whole = decoded;
        return decoder;
    }

    @Implementation
    protected Bitmap decodeRegion(Rect region, BitmapFactory.Options options) {
        return Bitmap.createBitmap(
                whole, region.left, region.top, region.width(), region.height());
    }

    @Implementation
    protected void recycle() {
        whole.recycle();
    }
}
