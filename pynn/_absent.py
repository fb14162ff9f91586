"""The names of Keras that pynn does not have: why, and what to use instead.

One table for the errors users see and for ``docs/keras-compatibility.md``. A pattern stands for all
names it matches (``*`` as in file names); names that exist are never looked up here.
"""

from __future__ import annotations

from typing import NamedTuple

_IMAGES = "images are not pynn's subject, it trains dense networks"
_SEQUENCES = "pynn trains dense networks, without recurrence over time"
_TEXT = "text and hashing are preprocessing outside of pynn"
_PRECISION = "the engine computes in float32 or float64, not in mixed or reduced precision"
_ONE_MACHINE = "a model is trained on the CPU cores of one machine"
_FRAMEWORK = "pynn has one engine of its own and runs no other framework's code"
_INTERNAL = "it belongs to the inside of Keras"
_FORMER = "Keras 3 keeps it for files and code of Keras 2 only"


class Absent(NamedTuple):
    """Names that pynn does not have.

    Attributes:
        names: patterns, separated by blanks, without the leading ``keras.``.
        why: the reason, to be read after "not in pynn:".
        instead: what to use, a sentence.
    """

    names: str
    why: str
    instead: str


ABSENT = (
    Absent(
        "layers.*Conv* layers.*Pool* layers.Cropping* layers.UpSampling* layers.ZeroPadding*"
        " layers.SpatialDropout*",
        "convolution and pooling need neighbourhoods, pynn trains dense networks",
        "Flatten the input for Dense layers, or compute features before.",
    ),
    Absent(
        "layers.Random* layers.RandAugment layers.AugMix layers.AutoContrast layers.CenterCrop"
        " layers.ContrastLimited* layers.CutMix layers.Equalization layers.MaxNumBoundingBoxes"
        " layers.MixUp layers.Resizing layers.Solarization layers.Pipeline",
        _IMAGES,
        "Change the images before fit, for example in a keras.utils.PyDataset.",
    ),
    Absent(
        "layers.*RNN* layers.*LSTM* layers.*GRU* layers.Bidirectional",
        _SEQUENCES,
        "Give a window of steps as one flat input to Dense layers.",
    ),
    Absent(
        "layers.*Attention*",
        "attention between positions is not part of dense networks",
        "Use TimeDistributed or Dense on the last axis for what is done at each position.",
    ),
    Absent(
        "layers.TextVectorization layers.StringLookup layers.IntegerLookup layers.Hashing"
        " layers.HashedCrossing layers.Discretization utils.FeatureSpace",
        _TEXT,
        "Prepare columns with scikit-learn or NumPy (numpy.digitize for bins), then use"
        " CategoryEncoding, Embedding or Normalization.",
    ),
    Absent(
        "layers.MelSpectrogram layers.STFTSpectrogram initializers.STFT* initializers.stft",
        "sound is not pynn's subject",
        "Compute spectra with scipy.signal before fit.",
    ),
    Absent(
        "layers.JaxLayer layers.FlaxLayer layers.TorchModuleWrapper layers.TFSMLayer",
        _FRAMEWORK,
        "Write a Layer with call() in pynn.ops, or with NumPy forward() and backward().",
    ),
    Absent(
        "layers.SpectralNormalization layers.ReversibleEmbedding",
        "layers that change another layer's weights are not built",
        "Write a Layer that holds the other one, or use a constraint on its kernel.",
    ),
    Absent(
        "layers.EinsumDense",
        "Dense works on the last axis of any rank",
        "Use Dense with Permute or Reshape around it, or pynn.ops.einsum in a layer of your own.",
    ),
    Absent(
        "InputSpec layers.InputSpec Layer.input_spec *.InputSpec",
        "layers check what they get in build()",
        "Raise ValueError in your layer's build(input_shape).",
    ),
    Absent(
        "losses.CTC losses.ctc ops.ctc_*",
        _SEQUENCES,
        "Use a loss for each position.",
    ),
    Absent(
        "optimizers.LossScaleOptimizer mixed_precision",
        _PRECISION,
        "Leave it out: float32 gradients need no scaling.",
    ),
    Absent(
        "optimizers.MultiOptimizer optimizers.OptimizerMap",
        "one optimizer updates all weights in one pass",
        "Freeze layers (layer.trainable = False) and train the parts in turn.",
    ),
    Absent(
        "callbacks.OrbaxCheckpoint",
        "it stores JAX arrays in pieces",
        "Use ModelCheckpoint or BackupAndRestore.",
    ),
    Absent(
        "callbacks.RemoteMonitor",
        "pynn opens no connections during training",
        "Send the logs yourself in a LambdaCallback(on_epoch_end=...).",
    ),
    Absent(
        "datasets.boston_housing",
        "the table holds a column about people's race and is withdrawn by scikit-learn",
        "Use pynn.datasets.california_housing.",
    ),
    Absent(
        "datasets.cifar10 datasets.cifar100",
        _IMAGES,
        "Use pynn.datasets.mnist or fashion_mnist, or pass your own arrays to fit.",
    ),
    Absent("datasets.imdb datasets.reuters", _TEXT, "Pass your own arrays to fit."),
    Absent(
        "utils.*_img utils.img_* utils.bounding_boxes utils.image_dataset_from_directory"
        " preprocessing.image* visualization ops.image",
        _IMAGES,
        "Read images with Pillow or imageio and pass arrays.",
    ),
    Absent(
        "utils.audio_dataset_from_directory utils.text_dataset_from_directory"
        " utils.timeseries_dataset_from_array preprocessing",
        "data sets are NumPy arrays, generators or PyDataset objects here",
        "Use a keras.utils.PyDataset, or numpy.lib.stride_tricks.sliding_window_view for windows.",
    ),
    Absent(
        "utils.get_file",
        "nothing is downloaded except by pynn.datasets",
        "Fetch the file with urllib.request.urlretrieve or the pooch package.",
    ),
    Absent("utils.Config", _INTERNAL, "Use types.SimpleNamespace or a dictionary."),
    Absent("utils.legacy legacy", _FORMER, "Use pynn.saving; it reads files of Keras 1, 2 and 3."),
    Absent(
        "utils.np_utils",
        "the module is gone since Keras 2.13",
        "Use pynn.utils.to_categorical and normalize.",
    ),
    Absent("applications", _IMAGES, "Use keras or torchvision for pretrained image models."),
    Absent(
        "distribution Variable.aggregation Variable.synchronization",
        _ONE_MACHINE,
        "Leave it out; pynn.set_num_threads chooses the number of cores.",
    ),
    Absent(
        "device",
        "everything runs on the CPU",
        "Leave it out; pynn.set_num_threads chooses the number of cores.",
    ),
    Absent(
        "distillation",
        "models with a train_step of their own are not traced",
        "Train the small model on the large one's predict(), with loss='kl_divergence'.",
    ),
    Absent(
        "DTypePolicy FloatDTypePolicy dtype_policies config.*dtype_policy *.dtype_policy",
        _PRECISION,
        "Use dtype='float64' in a layer or pynn.config.set_floatx('float64').",
    ),
    Absent(
        "config.*able_interactive_logging config.is_interactive_logging_enabled"
        " utils.*able_interactive_logging utils.is_interactive_logging_enabled",
        "what is printed is chosen where it is printed",
        "Use verbose=0 or verbose=2 in fit, evaluate and predict.",
    ),
    Absent(
        "config.enable_traceback_filtering",
        "errors show every frame, there are few",
        "Leave it out.",
    ),
    Absent(
        "config.*max_epochs config.*max_steps_per_epoch",
        "how long training lasts is said where it is started",
        "Use epochs= and steps_per_epoch= of fit.",
    ),
    Absent(
        "backend.result_type",
        "types are promoted as NumPy does",
        "Use numpy.result_type.",
    ),
    Absent(
        "Quantizer quantizers *.quantization_mode *.quantize *.quantized_build"
        " *.quantized_call Model.get_quantization_layer_structure",
        _PRECISION,
        "Predict in float32; quantize an exported file if a device needs it.",
    ),
    Absent(
        "layers.Dense.enable_lora",
        "dense kernels are small enough to be trained whole",
        "Freeze layers (layer.trainable = False) and add new ones.",
    ),
    Absent(
        "export Model.export",
        "SavedModel and TFLite need TensorFlow",
        "Use model.save('model.keras'), which keras.models.load_model of real Keras opens.",
    ),
    Absent(
        "RematScope remat *.rematerialized_call",
        "activations of dense networks are small beside the weights",
        "Leave it out; take a smaller batch_size if memory is short.",
    ),
    Absent(
        "Function Operation StatelessScope SymbolicScope name_scope *.stateless_*"
        " *.symbolic_call Model.get_state_tree Model.set_state_tree",
        "it serves Keras's compilers, pynn's engine traces call() by itself",
        "Write a Layer or Model with call() in pynn.ops.",
    ),
    Absent(
        "Optimizer.load_own_variables Optimizer.save_own_variables *.variable_serialization_spec"
        " layers.Normalization.convert_weight",
        "pynn.saving reads and writes every layer by one rule",
        "Say in get_config what a file is to hold besides the weights.",
    ),
    Absent(
        "*.compute_output_spec",
        "shapes are found by tracing call()",
        "Use compute_output_shape, or call the layer on a keras.Input.",
    ),
    Absent(
        "Layer.add_metric Model.compute_metrics Model.get_metrics_result",
        "metrics belong to a model's compile and run in the engine",
        "Use compile(metrics=[...]) with an object or a function, and evaluate(return_dict=True).",
    ),
    Absent(
        "Model.make_*_function Model.*_step Model.compute_loss Model.jit_compile Model.run_eagerly",
        "the engine runs whole epochs, there is no step written in Python",
        "Use a loss, metric or layer of your own, a callback, or train_on_batch in a loop.",
    ),
    Absent("Variable.overwrite_with_gradient", _PRECISION, "Leave it out."),
    Absent(
        "optimizers.Muon",
        "its step orthogonalizes whole matrices, the engine updates element by element",
        "Use AdamW or Lamb.",
    ),
    Absent(
        "saving.KerasFileEditor",
        "files are not changed in place",
        "Use load_model, change the layers, and save; zipfile and h5py open the parts.",
    ),
    Absent("version", "the module tells its version", "Use pynn.__version__."),
    Absent(
        "tree",
        "it is a door to the optree package, outside of dense networks",
        "Use the optree package, or plain Python on lists and dictionaries.",
    ),
    Absent(
        "wrappers",
        "what has to do with scikit-learn is in pynn.sklearn",
        "Use pynn.sklearn.KerasClassifier or KerasRegressor; as a transformer,"
        " sklearn.preprocessing.FunctionTransformer(model.predict).",
    ),
    Absent(
        "config.*flash_attention* config.is_nnx_enabled config.set_backend",
        _FRAMEWORK,
        "Leave it out.",
    ),
    Absent(
        "backend.*",
        "the functions of Keras 2's backend have become keras.ops",
        "Use the function of the same name in pynn.ops.",
    ),
    Absent(
        "KerasTensor.ragged* KerasTensor.row_splits_dtype",
        "arrays are dense",
        "Pad rows to one length; Masking leaves steps out.",
    ),
    Absent(
        "ops.*conv ops.*conv_transpose ops.*_pool ops.*depth_to_space ops.*space_to_depth"
        " ops.*fold ops.*psnr ops.nn.ctc_*",
        "convolution, pooling and images need neighbourhoods, pynn trains dense networks",
        "Use pynn.ops.matmul, or compute features before.",
    ),
    Absent(
        "ops.*fft* ops.*stft ops.extract_sequences ops.*polar ops.view_as_* ops.angle",
        "the engine computes with real numbers",
        "Use numpy.fft or scipy.signal on arrays, before fit.",
    ),
    Absent(
        "ops.view ops.rearrange",
        "shapes and types change by plain functions",
        "Use pynn.ops.reshape, transpose and cast.",
    ),
    Absent(
        "activations.glu",
        "it halves the features, which an activation cannot",
        "Use pynn.ops.glu in a layer of your own, or pynn.ops.split and sigmoid.",
    ),
    Absent(
        "ops.jvp",
        "the engine differentiates backwards",
        "Use model.gradients, or differences of the function on arrays.",
    ),
    Absent(
        "ops.nn.* ops.numpy ops.linalg.* ops.lu_factor",
        "the functions stand in keras.ops itself",
        "Use the function of the same name in pynn.ops, or numpy.linalg on arrays.",
    ),
    Absent(
        "KerasTensor.reshape KerasTensor.squeeze",
        "symbols have operators, not methods",
        "Use pynn.ops.reshape and pynn.ops.squeeze.",
    ),
    Absent(
        "Optimizer.add_* Optimizer.assign* Optimizer.update_step",
        "the rules are compiled in the engine",
        "Use one of pynn.optimizers with its options, or a callback that changes weights.",
    ),
    Absent(
        "losses.Circle losses.circle",
        "it compares the samples of a batch with one another, for embeddings of images",
        "Use CosineSimilarity, or a loss of your own with pynn.ops.",
    ),
)
