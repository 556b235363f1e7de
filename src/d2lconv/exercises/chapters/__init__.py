"""One file a chapter, named as the chapter: its exercises, and what right and wrong answers to them give."""

# The order of the course. A file that does not stand here comes after those that do, by its name.
COURSE = (
    "convolution",
    "padding_stride",
    "channels",
    "one_by_one",
    "pooling",
    "receptive_field",
    "depthwise_separable",
    "building_blocks",
    "data",
    "learning",
    "lenet",
    "vgg",
    "scaling",
)
